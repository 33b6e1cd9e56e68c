package main

import (
	"fmt"
	"sort"
	"strings"
)

// What can be wrong with the server. Each is looked for by name where it is made; without any, the
// server is correct.
var known = map[string]string{
	"late-cookie":  "the answer to a login is begun while the cookie is still being made",
	"slow-logout":  "the logout is acknowledged before the session is gone",
	"snapshot":     "the table of sessions is copied and swapped without a lock",
	"replicas":     "two tables of sessions; the second learns of a login later",
	"no-return":    "after a redirect the handler goes on",
	"shared-user":  "the user of a request stands in a variable that all requests share",
	"saved-again":  "a slow request saves its session at its end, whatever happened meanwhile",
	"looked-twice": "the session is looked up a second time and used unseen",
}

type defects map[string]bool

func parseDefects(names string) (defects, error) {
	d := defects{}
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == ',' }) {
		if known[name] == "" {
			return nil, fmt.Errorf("there is no defect %s", name)
		}
		d[name] = true
	}
	return d, nil
}

func listDefects() string {
	var lines []string
	for name, text := range known {
		lines = append(lines, name+"\t"+text+"\n")
	}
	sort.Strings(lines)
	return strings.Join(lines, "")
}
