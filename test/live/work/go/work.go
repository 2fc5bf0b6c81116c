// Calls whose number is known, in a program whose stacks grow, and whose goroutines move between threads.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

//go:noinline
func deep(n int) int {
	var room [256]byte
	if n == 0 {
		return 1
	}
	room[n%256] = byte(n)
	return deep(n-1) + int(room[(n+1)%256])
}

// A call of it outlives a growth of its stack, and goes on on another thread.
//
//go:noinline
func work(round int) int {
	runtime.Gosched()
	sum := deep(10 + round*20)
	time.Sleep(time.Millisecond)
	return sum
}

//go:noinline
func add(a, b int) int {
	if a < 0 {
		return b
	}
	return a + b
}

func main() {
	goroutines, _ := strconv.Atoi(os.Args[1])
	rounds, _ := strconv.Atoi(os.Args[2])
	var group sync.WaitGroup

	fmt.Println("pid", os.Getpid())
	fmt.Scanln()
	for i := 0; i < goroutines; i++ {
		group.Add(1)
		go func() {
			for round := 0; round < rounds; round++ {
				work(round)
				add(round, 1000)
			}
			group.Done()
		}()
	}
	group.Wait()
	fmt.Println("goroutines", goroutines, "rounds", rounds)
}
