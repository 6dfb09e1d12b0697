// SPDX-License-Identifier: Apache-2.0

// A ttrpc peer on containerd's own library, without generated code: messages
// are the bytes of their fields, carried as unknown fields of an empty one.
//
//	client SOCKET SERVICE HANDLE   calls both methods, in many ways; SOCKET is
//	                               a path, or vsock://CID:PORT
//	server SOCKET SERVICE FILE     serves FILE as evidence, once, until SIGTERM
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	size     = "RetrieveAttestationEvidenceSize"
	evidence = "RetrieveAttestationEvidence"
)

func fail(format string, args ...any) {
	fmt.Printf("FAIL "+format+"\n", args...)
	os.Exit(1)
}

func message(raw []byte) *emptypb.Empty {
	m := &emptypb.Empty{}
	m.ProtoReflect().SetUnknown(raw)
	return m
}

func number(raw []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(
		protowire.AppendTag(raw, field, protowire.VarintType), v)
}

// field returns a number, or the length and bytes of the named field.
func field(raw []byte, want protowire.Number) (uint64, []byte) {
	for len(raw) > 0 {
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			fail("bad tag")
		}
		raw = raw[n:]
		if num == want && typ == protowire.VarintType {
			v, _ := protowire.ConsumeVarint(raw)
			return v, nil
		}
		if num == want && typ == protowire.BytesType {
			b, _ := protowire.ConsumeBytes(raw)
			return uint64(len(b)), b
		}
		if n = protowire.ConsumeFieldValue(num, typ, raw); n < 0 {
			fail("bad field")
		}
		raw = raw[n:]
	}
	return 0, nil
}

func call(c *ttrpc.Client, service, method string, raw []byte,
	timeout time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	answer := &emptypb.Empty{}
	err := c.Call(ctx, service, method, message(raw), answer)
	return answer.ProtoReflect().GetUnknown(), err
}

func good(c *ttrpc.Client, service string, handle uint64) {
	raw, err := call(c, service, size, number(nil, 1, handle), 10*time.Second)
	if err != nil {
		fail("%s: %v", size, err)
	}
	n, _ := field(raw, 2)
	if n != 6461 {
		fail("size %d", n)
	}
	raw, err = call(c, service, evidence,
		number(number(nil, 1, handle), 2, n), 10*time.Second)
	if err != nil {
		fail("%s: %v", evidence, err)
	}
	if length, json := field(raw, 3); length < 13012 || json[0] != '{' {
		fail("evidence of %d bytes", length)
	}
	raw, err = call(c, service, evidence, number(number(
		number(nil, 1, handle), 2, n), 18, 1), 10*time.Second)
	if err != nil {
		fail("packed: %v", err)
	}
	if length, packed := field(raw, 3); length != 6461 ||
		binary.LittleEndian.Uint32(packed[0x34:]) != 0x1002 {
		fail("packed evidence of %d bytes", length)
	}
}

func bad(c *ttrpc.Client, service string) {
	raw, err := call(c, service, evidence, number(nil, 1, 0xffffffff),
		10*time.Second)
	if e, _ := field(raw, 1); err != nil || e != 0x10 {
		fail("unknown handle: %v, %#x", err, e)
	}
	_, err = call(c, service, "Nope", nil, 10*time.Second)
	if status.Code(err) != codes.InvalidArgument {
		fail("unknown method: %v", err)
	}
	_, err = call(c, "aeb.Nope", size, nil, 10*time.Second)
	if status.Code(err) != codes.InvalidArgument {
		fail("unknown service: %v", err)
	}
	_, err = call(c, service, size, []byte{0x0a, 0x01, 0x31}, 10*time.Second)
	if status.Code(err) != codes.Unknown {
		fail("undecodable payload: %v", err)
	}
}

// vsockConn is what package net has no type for.
type vsockConn struct{ *os.File }

func (vsockConn) LocalAddr() net.Addr  { return &net.UnixAddr{} }
func (vsockConn) RemoteAddr() net.Addr { return &net.UnixAddr{} }

func dialVsock(cid, port uint32) (net.Conn, error) {
	const family = 40
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC,
		0)
	if err != nil {
		return nil, err
	}
	var addr [16]byte
	binary.LittleEndian.PutUint16(addr[0:], family)
	binary.LittleEndian.PutUint32(addr[4:], port)
	binary.LittleEndian.PutUint32(addr[8:], cid)
	_, _, errno := syscall.Syscall(syscall.SYS_CONNECT, uintptr(fd),
		uintptr(unsafe.Pointer(&addr)), unsafe.Sizeof(addr))
	if errno != 0 {
		return nil, errno
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	return vsockConn{os.NewFile(uintptr(fd), "vsock")}, nil
}

func dial(socket string) *ttrpc.Client {
	var cid, port uint32
	var conn net.Conn
	var err error
	if _, e := fmt.Sscanf(socket, "vsock://%d:%d", &cid, &port); e == nil {
		conn, err = dialVsock(cid, port)
	} else {
		conn, err = net.Dial("unix", socket)
	}
	if err != nil {
		fail("%v", err)
	}
	return ttrpc.NewClient(conn)
}

func client(socket, service, handle string) {
	n, err := strconv.ParseUint(handle, 0, 32)
	if err != nil {
		fail("%v", err)
	}
	one := dial(socket)
	good(one, service, n)
	bad(one, service)
	good(one, service, n)
	// Many at once on one connection, and on many.
	var wg sync.WaitGroup
	for i := 0; i < 24; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			c := one
			if i%2 == 0 {
				c = dial(socket)
				defer c.Close()
			}
			good(c, service, n)
		}(i)
	}
	wg.Wait()
	one.Close()
	fmt.Println("ok")
}

func server(socket, service, file string) {
	json, err := os.ReadFile(file)
	if err != nil {
		fail("%v", err)
	}
	s, err := ttrpc.NewServer()
	if err != nil {
		fail("%v", err)
	}
	answer := func(raw []byte) ttrpc.Method {
		return func(_ context.Context, unmarshal func(any) error) (any, error) {
			if err := unmarshal(&emptypb.Empty{}); err != nil {
				return nil, err
			}
			return message(raw), nil
		}
	}
	s.Register(service, map[string]ttrpc.Method{
		size: answer(number(nil, 2, 6461)),
		evidence: answer(protowire.AppendBytes(protowire.AppendTag(
			number(nil, 2, 6461), 3, protowire.BytesType), json)),
	})
	l, err := net.Listen("unix", socket)
	if err != nil {
		fail("%v", err)
	}
	fmt.Println("listening")
	fail("%v", s.Serve(context.Background(), l))
}

func main() {
	if len(os.Args) != 5 {
		fail("usage: client|server SOCKET SERVICE HANDLE|FILE")
	}
	if os.Args[1] == "client" {
		client(os.Args[2], os.Args[3], os.Args[4])
	} else {
		server(os.Args[2], os.Args[3], os.Args[4])
	}
}
