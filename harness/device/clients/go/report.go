// SPDX-License-Identifier: Apache-2.0

// A client of /dev/sev-guest with nothing but raw system calls: no cgo, no
// module. Goroutines move between threads, so the ioctls come from any of them.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

const (
	getReport     = 0xC0205300
	getDerivedKey = 0xC0205301
	getExtReport  = 0xC0205302
	invalidLen    = 1 << 32
	reportAt      = 32
)

// struct snp_guest_request_ioctl
type guestRequest struct {
	msgVersion uint8
	_          [7]byte
	reqData    uint64
	respData   uint64
	exitinfo2  uint64
}

// struct snp_report_req
type reportReq struct {
	userData [64]byte
	vmpl     uint32
	_        [28]byte
}

// struct snp_ext_report_req
type extReportReq struct {
	data         reportReq
	certsAddress uint64
	certsLen     uint32
	_            uint32
}

// struct snp_derived_key_req
type derivedKeyReq struct {
	rootKeySelect    uint32
	_                uint32
	guestFieldSelect uint64
	vmpl             uint32
	guestSvn         uint32
	tcbVersion       uint64
}

var (
	device     = flag.String("device", "/dev/sev-guest", "node to open")
	reportData = flag.String("report-data", "", "up to 64 bytes as hex")
	reportFile = flag.String("report", "", "file for the report")
	certsFile  = flag.String("certs", "", "file for the certificates")
	keyFile    = flag.String("key", "", "file for a derived key")
	vmpl       = flag.Uint("vmpl", 0, "VMPL")
	rootKey    = flag.Uint("root-key", 0, "root key of the derived key")
	fields     = flag.Uint64("fields", 0, "fields mixed into the derived key")
	guestSvn   = flag.Uint("guest-svn", 0, "guest SVN of the derived key")
	tcb        = flag.Uint64("tcb", 0, "TCB version of the derived key")
	msgVersion = flag.Uint("msg-version", 1, "message version")
	parallel   = flag.Int("parallel", 1, "goroutines that ask for the same")
)

func die(code int, format string, args ...any) {
	fmt.Fprintf(os.Stderr, "report: "+format+"\n", args...)
	os.Exit(code)
}

var sink unsafe.Pointer

// The address of something on the heap: what a global variable has pointed to is
// never on a stack, and stacks move.
func address(p unsafe.Pointer) uint64 {
	atomic.StorePointer(&sink, p)
	return uint64(uintptr(p))
}

func ioctl(fd int, number uintptr, req, resp unsafe.Pointer) (syscall.Errno, uint64) {
	io := &guestRequest{
		msgVersion: uint8(*msgVersion),
		reqData:    address(req),
		respData:   address(resp),
	}
	r, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), number,
		uintptr(unsafe.Pointer(io)))
	runtime.KeepAlive(req)
	runtime.KeepAlive(resp)
	if errno == 0 && r != 0 {
		die(1, "the ioctl returned %d", r)
	}
	return errno, io.exitinfo2
}

func checkStatus(what string, resp []byte) {
	if status := binary.LittleEndian.Uint32(resp); status != 0 {
		die(2, "%s: firmware status %#x", what, status)
	}
}

func save(path string, data []byte) {
	if err := os.WriteFile(path, data, 0o644); err != nil {
		die(1, "%v", err)
	}
}

func request() (req reportReq) {
	data, err := hex.DecodeString(*reportData)
	if err != nil || len(data) > len(req.userData) {
		die(1, "-report-data takes up to 128 hex digits")
	}
	copy(req.userData[:], data)
	req.vmpl = uint32(*vmpl)
	return req
}

func plainReport(fd int) []byte {
	req := new(reportReq)
	resp := new([4000]byte)
	*req = request()
	errno, info := ioctl(fd, getReport, unsafe.Pointer(req), unsafe.Pointer(resp))
	if errno != 0 {
		die(1, "SNP_GET_REPORT: %v, exitinfo2 %#x", errno, info)
	}
	return resp[:]
}

// The certificates may grow between the question for their length and the next.
func extReport(fd int) (report, certs []byte) {
	req := new(extReportReq)
	resp := new([4000]byte)
	req.data = request()
	for try := 0; ; try++ {
		errno, info := ioctl(fd, getExtReport, unsafe.Pointer(req),
			unsafe.Pointer(resp))
		if errno == 0 {
			return resp[:], certs
		}
		if errno != syscall.EIO || info != invalidLen || try == 2 ||
			req.certsLen == 0 {
			die(1, "SNP_GET_EXT_REPORT: %v, exitinfo2 %#x", errno, info)
		}
		certs = make([]byte, req.certsLen)
		req.certsAddress = address(unsafe.Pointer(&certs[0]))
	}
}

func derivedKey(fd int) []byte {
	resp := new([64]byte)
	req := &derivedKeyReq{
		rootKeySelect:    uint32(*rootKey),
		guestFieldSelect: *fields,
		vmpl:             uint32(*vmpl),
		guestSvn:         uint32(*guestSvn),
		tcbVersion:       *tcb,
	}
	errno, info := ioctl(fd, getDerivedKey, unsafe.Pointer(req),
		unsafe.Pointer(resp))
	if errno != 0 {
		die(1, "SNP_GET_DERIVED_KEY: %v, exitinfo2 %#x", errno, info)
	}
	checkStatus("SNP_GET_DERIVED_KEY", resp[:])
	return resp[32:]
}

func getOne(fd int) (report []byte) {
	var resp, certs []byte
	if *certsFile != "" {
		resp, certs = extReport(fd)
		save(*certsFile, certs)
	} else {
		resp = plainReport(fd)
	}
	checkStatus("report", resp)
	size := binary.LittleEndian.Uint32(resp[4:])
	if int(size) > len(resp)-reportAt {
		die(1, "a report of %d bytes", size)
	}
	return resp[reportAt : reportAt+size]
}

func main() {
	flag.Parse()
	if flag.NArg() != 0 {
		flag.Usage()
		os.Exit(64)
	}
	fd, err := syscall.Open(*device, syscall.O_RDWR, 0)
	if err != nil {
		die(1, "%s: %v", *device, err)
	}
	if *certsFile != "" || *reportFile != "" || *keyFile == "" {
		var wg sync.WaitGroup
		for i := 1; i < *parallel; i++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				getOne(fd)
			}()
		}
		report := getOne(fd)
		wg.Wait()
		if *reportFile != "" {
			save(*reportFile, report)
		} else {
			fmt.Println(hex.EncodeToString(report))
		}
	}
	if *keyFile != "" {
		save(*keyFile, derivedKey(fd))
	}
}
