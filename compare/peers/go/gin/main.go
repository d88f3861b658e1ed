// The seed's program at its best: gin in release mode without a logger, TCP_NODELAY (Go's default),
// an exit code that tells, and GOMAXPROCS as THREADS says. Its parts are used as their documentation
// has it: errgroup.WithContext, signal.NotifyContext, and http.Server.Shutdown with a limit of 10 s,
// which lets requests finish and closes idle connections.
//
// Built by ../build, with Debian's packages.
package main

import (
	"context"
	"errors"
	"fmt"
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
)

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
