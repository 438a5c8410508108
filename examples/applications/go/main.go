// A small application behind Portcullis: sign in, see who one is, take another role, sign out here or everywhere.
//
// It keeps no sessions, sets no cookies and checks no tokens of forms: the guard does, and tells it who is calling.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"example.com/application/portcullis"
)

const bodyBytesMax = 4096

const login = `<!doctype html><title>Sign in</title><script src="/csrf.js"></script>
<form method="post" action="/login"><input name="user"><input name="password" type="password"><button>Sign in</button></form>`

type person struct {
	salt  string
	hash  [32]byte
	roles []string
}

// stretched is PBKDF2 with HMAC-SHA-256 and one block (RFC 8018 §5.2), which the standard library has since Go 1.24 alone.
func stretched(password, salt string) (key [sha256.Size]byte) {
	mac := hmac.New(sha256.New, []byte(password))
	round := append([]byte(salt), 0, 0, 0, 1)
	for count := 0; count < 600_000; count++ {
		mac.Reset()
		mac.Write(round)
		round = mac.Sum(round[:0])
		for place := range key {
			key[place] ^= round[place]
		}
	}
	return key
}

// Two people. Their passwords are `correct horse` and `battery staple`.
var people = map[string]person{
	"alice": {"a1", stretched("correct horse", "a1"), []string{"user", "admin"}},
	"bob":   {"b2", stretched("battery staple", "b2"), []string{"user"}},
}

type application struct{ guard *portcullis.Portcullis }

func (a application) login(writer http.ResponseWriter, request *http.Request) error {
	request.Body = http.MaxBytesReader(writer, request.Body, bodyBytesMax)
	if err := request.ParseForm(); err != nil {
		return err
	}
	name := request.PostForm.Get("user")
	one := people[name]
	// A name that is not there costs what a wrong password costs.
	hash := stretched(request.PostForm.Get("password"), one.salt)
	if subtle.ConstantTimeCompare(hash[:], one.hash[:]) != 1 {
		writer.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	return a.redirect(writer, request, "/me", portcullis.Message{Op: "create", User: name, Roles: []string{"user"}})
}

func (a application) me(writer http.ResponseWriter, request *http.Request) error {
	caller, err := a.caller(request)
	if err != nil {
		return err
	}
	writer.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(writer).Encode(map[string]any{
		"user": caller.User, "tenant": nil, "roles": caller.Roles, "session": caller.Session,
	})
}

func (a application) role(writer http.ResponseWriter, request *http.Request) error {
	caller, err := a.caller(request)
	if err != nil {
		return err
	}
	return a.redirect(writer, request, "/me", portcullis.Message{Op: "rotate", Roles: people[caller.User].roles})
}

// end makes the handler of one of the two ways to sign out.
func (a application) end(op string) handler {
	return func(writer http.ResponseWriter, request *http.Request) error {
		if _, err := a.caller(request); err != nil {
			return err
		}
		return a.redirect(writer, request, "/login", portcullis.Message{Op: op})
	}
}

func (a application) caller(request *http.Request) (*portcullis.Caller, error) {
	caller, err := a.guard.VerifyIdentity(request)
	if caller == nil && err == nil {
		err = fmt.Errorf("%w: nobody is signed in", portcullis.ErrIdentity)
	}
	return caller, err
}

func (a application) redirect(writer http.ResponseWriter, request *http.Request, to string, message portcullis.Message) error {
	value, err := a.guard.SessionMessage(request, message)
	if err != nil {
		return err
	}
	writer.Header().Set("Portcullis-Session", value)
	writer.Header().Set("Location", to)
	writer.WriteHeader(http.StatusSeeOther)
	return nil
}

type handler func(http.ResponseWriter, *http.Request) error

func main() {
	guard, err := portcullis.New(portcullis.Config{
		Guard:    os.Getenv("PORTCULLIS_GUARD"),
		Issuer:   os.Getenv("PORTCULLIS_ISSUER"),
		Audience: os.Getenv("PORTCULLIS_AUDIENCE"),
		Secret:   os.Getenv("PORTCULLIS_APPLICATION_SECRET"),
	})
	if err != nil {
		log.Fatal(err)
	}
	script, err := os.ReadFile(os.Getenv("CSRF_SCRIPT"))
	if err != nil {
		log.Fatal(err)
	}
	static := func(mediaType, content string) handler {
		return func(writer http.ResponseWriter, _ *http.Request) error {
			writer.Header().Set("Content-Type", mediaType)
			_, err := writer.Write([]byte(content))
			return err
		}
	}
	a := application{guard}
	routes := map[string]handler{
		"GET /login":              static("text/html; charset=utf-8", login),
		"GET /csrf.js":            static("text/javascript; charset=utf-8", string(script)),
		"POST /login":             a.login,
		"GET /me":                 a.me,
		"POST /role":              a.role,
		"POST /logout":            a.end("end"),
		"POST /logout-everywhere": a.end("end_all"),
	}
	answer := func(writer http.ResponseWriter, request *http.Request) {
		route, isThere := routes[request.Method+" "+request.URL.Path]
		if !isThere {
			writer.WriteHeader(http.StatusNotFound)
			return
		}
		if err := route(writer, request); err != nil {
			log.Printf("%s %s: %v", request.Method, request.URL.Path, err)
			status := http.StatusInternalServerError
			if errors.Is(err, portcullis.ErrIdentity) {
				status = http.StatusUnauthorized
			}
			writer.WriteHeader(status)
		}
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "3000"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening at %s\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(answer)))
}
