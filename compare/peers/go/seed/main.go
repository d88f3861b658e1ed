// The seed: the program that this project was made from, as its author wrote it, but for what the
// comparison asks for. SIGTERM stands where SIGEMT did, which Linux does not have; the address and
// the seconds of the timer come from the environment; `/slow` is new. `gin.Default()` logs each
// request, and every end has the exit code 0: so it was.
//
// Built by ../build, with Debian's packages.
package main

import (
	"context"
	"errors"
	"fmt"
	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

type ginHttp struct {
	server *http.Server
}

func NewGinHttpServer(listenIp string, listenPort int, f func(engine *gin.Engine)) *ginHttp {
	engine := gin.Default()
	f(engine)
	s := &http.Server{
		Addr:    fmt.Sprintf("%s:%d", listenIp, listenPort),
		Handler: engine,
	}

	return &ginHttp{
		server: s,
	}
}

func (g *ginHttp) Serve() <-chan error {
	// chan长度大于等于1， 不然errch不存在读取取，将永远阻塞在这里，造成goroutine泄露
	errch := make(chan error, 1)
	go func() {
		err := g.server.ListenAndServe()
		if err != nil {
			errch <- err
			log.Printf("服务停止：%v", err)
		}
		close(errch)
	}()

	return errch
}

func (g *ginHttp) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second*10)
	defer cancel()
	return g.server.Shutdown(ctx)
}

// What ADDR says.
func address() (string, int) {
	host, port, err := net.SplitHostPort(os.Getenv("ADDR"))
	if err != nil {
		log.Fatalf("ADDR: %v", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		log.Fatalf("ADDR: %v", err)
	}
	return host, number
}

// What TIMER says, in seconds.
func timer() time.Duration {
	seconds := os.Getenv("TIMER")
	if seconds == "" {
		seconds = "3600"
	}
	timer, err := time.ParseDuration(seconds + "s")
	if err != nil {
		log.Fatalf("TIMER: %v", err)
	}
	return timer
}

func main() {
	// 创建通过监听信号syscall.SIGINT, syscall.SIGTERM来停止的context
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()

	listenIp, listenPort := address()
	after := timer()

	// 通过errgroup来运行多个服务
	g, ctx := errgroup.WithContext(ctx)

	// 服务一
	g.Go(func() error {
		tr := time.NewTimer(after)
		select {
		// 监听context是否被取消， 取消则终止服务
		case <-ctx.Done():
			/*
				停止服务操作
				stop()
			*/
			log.Println("收到context取消信号，停止服务一")
			return ctx.Err()

		// 模拟服务
		case <-tr.C:
			// 模拟30秒后服务出错返回， errgroup会对errgroup.WithContext返回的context进行取消
			log.Println("服务一出错： xxx")
			return errors.New("xxx")
		}
	})

	// 服务二： 基于gin框架的web服务
	g.Go(func() error {
		ginSvr := NewGinHttpServer(listenIp, listenPort, func(engine *gin.Engine) {
			engine.GET("/hello", func(c *gin.Context) {
				c.String(http.StatusOK, "Hello World!")
			})
			engine.GET("/slow", func(c *gin.Context) {
				time.Sleep(100 * time.Millisecond)
				c.String(http.StatusOK, "Hello World!")
			})
		})
		select {
		// 监听context是否被取消， 取消则终止服务
		case <-ctx.Done():
			//停止服务操作
			log.Println("收到context取消信号，停止服务二")
			err := ginSvr.Stop()
			if err != nil {
				log.Printf("停止服务二出错： %v", err)
			} else {
				log.Println("成功停止服务二")
			}
			return ctx.Err()

		// http服务
		case err := <-ginSvr.Serve():
			// 如果服务完成并未出错， errgroup不会对返回的context进行取消操作
			if err != nil {
				log.Printf("服务二出错： %v", err)
			}
			return err
		}
	})

	// 等待所有服务完成，或者某个服务报错并终止所有服务
	err := g.Wait()
	log.Printf("程序退出：%v", err)
}
