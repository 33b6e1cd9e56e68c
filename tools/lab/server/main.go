// A small login server on net/http, whose mistakes can be switched on. It shows what the marks of races
// on the wire come from; each place of a mistake is marked DEFECT, the way it should be stands beside it.
//
//	server -listen 127.0.0.1:0 -defects slow-logout,no-return
//
// It prints the address that it listens on, and ends when its standard input does.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

const cookieName = "session_id"

type server struct {
	defects defects
	tables  []*table      // one; two with the defect replicas
	turn    atomic.Uint32 // which of them is asked next
	current atomic.Value  // of the defect shared-user
}

func newServer(d defects) *server {
	s := &server{defects: d, tables: []*table{newTable(d)}}
	if d["replicas"] {
		s.tables = append(s.tables, newTable(d))
	}
	return s
}

func newToken() string {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		panic(err)
	}
	return hex.EncodeToString(b)
}

// How long a store takes to answer: 0 to 12 ms.
func storeDelay() time.Duration {
	n, err := rand.Int(rand.Reader, big.NewInt(12000))
	if err != nil {
		panic(err)
	}
	return time.Duration(n.Int64()) * time.Microsecond
}

func (s *server) token(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *server) user(r *http.Request) (string, bool) {
	t := s.tables[int(s.turn.Add(1))%len(s.tables)]
	return t.user(s.token(r))
}

func setCookie(w http.ResponseWriter, token string) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: token, Path: "/", MaxAge: 3600, HttpOnly: true})
}

func (s *server) start(token, user string) {
	s.tables[0].put(token, user)
	if s.defects["replicas"] {
		// DEFECT: until then every second request does not know the session.
		time.AfterFunc(200*time.Millisecond, func() { s.tables[1].put(token, user) })
	}
}

func (s *server) end(token string) {
	for _, t := range s.tables {
		t.remove(token)
	}
}

func (s *server) login(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		fmt.Fprintln(w, "<form method=post>name <input name=username> word <input name=password type=password></form>")
		return
	}
	user := r.PostFormValue("username")
	if user == "" || r.PostFormValue("password") != "secret-of-"+user {
		http.Error(w, "wrong name or password", http.StatusUnauthorized)
		return
	}
	token := newToken()
	if s.defects["late-cookie"] {
		s.loginLate(w, token, user)
		return
	}
	s.start(token, user)
	setCookie(w, token)
	w.Header().Set("Location", "/home")
	w.WriteHeader(http.StatusSeeOther)
}

// DEFECT: what comes after WriteHeader never leaves. "Mostly it is done in time."
func (s *server) loginLate(w http.ResponseWriter, token, user string) {
	ready := make(chan bool)
	go func() {
		time.Sleep(storeDelay())
		s.start(token, user)
		close(ready)
	}()
	inTime := false
	select {
	case <-ready:
		inTime = true
	case <-time.After(11 * time.Millisecond):
	}
	if inTime {
		setCookie(w, token)
	}
	w.Header().Set("Location", "/home")
	w.WriteHeader(http.StatusSeeOther)
	if !inTime {
		<-ready
		setCookie(w, token)
	}
}

func (s *server) logout(w http.ResponseWriter, r *http.Request) {
	token := s.token(r)
	if r.Method != http.MethodPost {
		http.Error(w, "POST it", http.StatusMethodNotAllowed)
		return
	}
	if s.defects["slow-logout"] {
		// DEFECT: whoever reads the answer is not logged out yet.
		time.AfterFunc(60*time.Millisecond, func() { s.end(token) })
	} else {
		s.end(token)
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true})
	w.Header().Set("Location", "/login")
	w.WriteHeader(http.StatusSeeOther)
}

func (s *server) home(w http.ResponseWriter, r *http.Request) {
	user, ok := s.user(r)
	if !ok {
		http.Redirect(w, r, "/login", http.StatusFound)
		if !s.defects["no-return"] {
			return
		}
		// DEFECT: the page is written behind the redirect, for whoever looks.
	}
	fmt.Fprintf(w, "<!doctype html><title>Home</title><p>Hello %s, this is for you alone.</p>\n", user)
}

func (s *server) me(w http.ResponseWriter, r *http.Request) {
	user, ok := s.user(r)
	if !ok {
		http.Error(w, "not logged in", http.StatusUnauthorized)
		return
	}
	if s.defects["shared-user"] {
		// DEFECT: another request may write there before this one reads.
		s.current.Store(user)
		time.Sleep(200 * time.Microsecond)
		user = s.current.Load().(string)
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, "{\"username\":%q}\n", user)
}

// Takes its time; a logout may come meanwhile.
func (s *server) report(w http.ResponseWriter, r *http.Request) {
	user, ok := s.user(r)
	if !ok {
		http.Error(w, "not logged in", http.StatusUnauthorized)
		return
	}
	time.Sleep(40 * time.Millisecond)
	if s.defects["looked-twice"] {
		// DEFECT: who says that it is still there? The panic closes the connection without an answer.
		var again *string
		if name, ok := s.user(r); ok {
			again = &name
		}
		user = *again
	}
	if s.defects["saved-again"] {
		// DEFECT: the session lives again, and the browser gets its cookie back.
		s.start(s.token(r), user)
		setCookie(w, s.token(r))
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, "{\"report\":%q}\n", strings.Repeat("x", 200))
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	names := flag.String("defects", "", "mistakes to switch on, with commas between")
	list := flag.Bool("list", false, "print the mistakes there are")
	flag.Parse()
	if *list {
		fmt.Print(listDefects())
		return
	}
	d, err := parseDefects(*names)
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	s := newServer(d)
	mux := http.NewServeMux()
	mux.HandleFunc("/login", s.login)
	mux.HandleFunc("/logout", s.logout)
	mux.HandleFunc("/home", s.home)
	mux.HandleFunc("/api/me", s.me)
	mux.HandleFunc("/api/report", s.report)
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.SetOutput(io.Discard) // what it panics of is the client's to see
	log.Fatal(http.Serve(l, mux))
}
