// The seed's server with gin, as its users run it in production: release mode, no logger.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o gin main.go
//
// with Debian's golang-go and golang-github-gin-gonic-gin-dev.
package main

import (
	"fmt"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/hello", func(c *gin.Context) {
		c.String(http.StatusOK, "Hello World!")
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	panic(http.Serve(listener, engine))
}
