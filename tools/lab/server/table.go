package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// The live sessions: token to user. Readers take the current map as it is, a change puts another in
// its place.
type table struct {
	defects defects
	lock    sync.Mutex
	now     atomic.Pointer[map[string]string]
}

func newTable(d defects) *table {
	t := &table{defects: d}
	t.now.Store(&map[string]string{})
	return t
}

func (t *table) user(token string) (string, bool) {
	user, ok := (*t.now.Load())[token]
	return user, ok
}

func (t *table) change(f func(m map[string]string)) {
	if t.defects["snapshot"] {
		// DEFECT: of two changes at once the one that ends last wins, and the other never was.
		t.now.Store(t.changed(f))
		return
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	t.now.Store(t.changed(f))
}

func (t *table) changed(f func(m map[string]string)) *map[string]string {
	next := map[string]string{}
	for token, user := range *t.now.Load() {
		next[token] = user
	}
	time.Sleep(time.Millisecond) // as long as a small database takes
	f(next)
	return &next
}

func (t *table) put(token, user string) {
	t.change(func(m map[string]string) { m[token] = user })
}

func (t *table) remove(token string) {
	t.change(func(m map[string]string) { delete(m, token) })
}
