// SPDX-License-Identifier: Apache-2.0

// Fetch fetches URLs as Go programs do and prints the size of each answer.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	client := http.Client{Timeout: 30 * time.Second}
	for _, url := range os.Args[1:] {
		r, err := client.Get(url)
		if err != nil {
			fmt.Fprintln(os.Stderr, "fetch:", err)
			os.Exit(1)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK {
			fmt.Fprintln(os.Stderr, "fetch:", url, r.Status, err)
			os.Exit(1)
		}
		fmt.Println(len(body))
	}
}
