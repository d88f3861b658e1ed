// The seed's program at its best: gin in release mode without a logger, TCP_NODELAY (Go's default),
// an exit code that tells, and GOMAXPROCS as THREADS says. Its parts are used as their documentation
// has it: errgroup.WithContext, signal.NotifyContext, and http.Server.Shutdown with a limit of 10 s,
// which lets requests finish and closes idle connections.
//
// Built by ../build, with Debian's packages.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"
)

const (
	body         = "Hello World!"
	drainTimeout = 10 * time.Second

	// What src/apps/mod.rs of the comparison says.
	megabyte = 1_000_000
	download = 100_000_000
	piece    = 62_500
)

var letters = bytes.Repeat([]byte{'x'}, piece)

// order is that of src/apps/order.rs.
type order struct {
	ID       uint64 `json:"id"`
	Customer struct {
		Name    string `json:"name"`
		Street  string `json:"street"`
		City    string `json:"city"`
		Country string `json:"country"`
	} `json:"customer"`
	Items []struct {
		SKU   string   `json:"sku"`
		Title string   `json:"title"`
		Count uint32   `json:"count"`
		Price float64  `json:"price"`
		Tags  []string `json:"tags"`
	} `json:"items"`
	Express bool    `json:"express"`
	Total   float64 `json:"total"`
	Note    *string `json:"note"`
}

// variable is what the environment says, or else what is usual.
func variable(name, usual string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return usual
}

func handler() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/hello", func(c *gin.Context) {
		c.String(http.StatusOK, body)
	})
	engine.GET("/slow", func(c *gin.Context) {
		time.Sleep(100 * time.Millisecond)
		c.String(http.StatusOK, body)
	})
	engine.POST("/order", func(c *gin.Context) {
		var order order
		if err := c.ShouldBindJSON(&order); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		c.JSON(http.StatusOK, order)
	})
	engine.GET("/megabyte", func(c *gin.Context) {
		c.Data(http.StatusOK, "application/octet-stream", bytes.Repeat([]byte{'x'}, megabyte))
	})
	// A body of unknown length.
	engine.GET("/download", func(c *gin.Context) {
		for sent := 0; sent < download; sent += len(letters) {
			if _, err := c.Writer.Write(letters); err != nil {
				return
			}
		}
	})
	engine.POST("/upload", func(c *gin.Context) {
		length, err := io.Copy(io.Discard, c.Request.Body)
		if err != nil {
			return
		}
		c.String(http.StatusOK, strconv.FormatInt(length, 10))
	})
	engine.Static("/file", variable("FILES", "."))
	return engine
}

// serve listens until the context is done, and drains.
func serve(ctx context.Context, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler()}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		drain, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		return server.Shutdown(drain)
	}
}

// fail does so after this long, unless the context is done before.
func fail(ctx context.Context, after time.Duration) error {
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-timer.C:
		return errors.New("timer: xxx")
	}
}

func run() error {
	threads, err := strconv.Atoi(variable("THREADS", "1"))
	if err != nil {
		return fmt.Errorf("THREADS: %w", err)
	}
	runtime.GOMAXPROCS(threads)
	after, err := time.ParseDuration(variable("TIMER", "3600") + "s")
	if err != nil {
		return fmt.Errorf("TIMER: %w", err)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return fail(ctx, after) })
	group.Go(func() error { return serve(ctx, variable("ADDR", "127.0.0.1:8080")) })
	return group.Wait()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gin:", err)
		os.Exit(1)
	}
}
