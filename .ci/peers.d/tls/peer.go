// Go's side of TLS connections, for `.ci/peers tls`, with the same commands as the program `peer` of ours:
//
//	peer server FOLDER GROUPS               prints `port N`, then a line for each connection
//	peer client FOLDER GROUPS PORT TIMES    prints the page of each connection
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func try[T any](value T, err error) T {
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	return value
}

func groups(names string) (ids []tls.CurveID) {
	known := map[string]tls.CurveID{}
	for _, id := range []tls.CurveID{tls.X25519, tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024} {
		known[id.String()] = id
	}
	for _, name := range strings.Split(names, ",") {
		id, ok := known[name]
		if !ok {
			fmt.Println("unknown", name)
			os.Exit(0)
		}
		ids = append(ids, id)
	}
	return ids
}

func main() {
	folder := os.Args[2]
	config := &tls.Config{MinVersion: tls.VersionTLS13, CurvePreferences: groups(os.Args[3])}
	cert := filepath.Join(folder, "cert.pem")
	if os.Args[1] == "server" {
		config.Certificates = []tls.Certificate{try(tls.LoadX509KeyPair(cert, filepath.Join(folder, "key.pem")))}
		listener := try(net.Listen("tcp", "127.0.0.1:0"))
		fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
		for {
			go serve(try(listener.Accept()), config)
		}
	}
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AppendCertsFromPEM(try(os.ReadFile(cert)))
	config.ServerName = "localhost"
	config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	for range try(strconv.Atoi(os.Args[5])) {
		raw := try(net.Dial("tcp", "127.0.0.1:"+os.Args[4]))
		raw.SetDeadline(time.Now().Add(10 * time.Second))
		connection := tls.Client(raw, config)
		try(fmt.Fprint(connection, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
		fmt.Printf("%s\n", try(io.ReadAll(connection)))
		raw.Close()
	}
}

func serve(raw net.Conn, config *tls.Config) {
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(10 * time.Second))
	connection := tls.Server(raw, config)
	if err := connection.Handshake(); err != nil {
		fmt.Println("error", err)
		return
	}
	state := connection.ConnectionState()
	fmt.Println(state.CurveID, state.DidResume)
	if _, err := connection.Read(make([]byte, 1024)); err == nil {
		fmt.Fprint(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nanswer\n")
		connection.Close()
	}
}
