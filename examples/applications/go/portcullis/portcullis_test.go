package portcullis

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

const (
	now    = 1_800_000_000
	secret = "7a93d05b8f1c2e647a93d05b8f1c2e647a93d05b8f1c2e647a93d05b8f1c2e64"
)

type fields = map[string]any

// none stands for a claim that is left out.
type none struct{}

var (
	public, private, _           = ed25519.GenerateKey(nil)
	otherPublic, otherPrivate, _ = ed25519.GenerateKey(nil)
)

func encode(value any) string {
	data, isBytes := value.([]byte)
	if !isBytes {
		data, _ = json.Marshal(value)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func changed(base, change fields) fields {
	all := fields{}
	for _, one := range []fields{base, change} {
		for name, value := range one {
			all[name] = value
		}
	}
	for name, value := range all {
		if _, isNone := value.(none); isNone {
			delete(all, name)
		}
	}
	return all
}

func head(change fields) fields {
	return changed(fields{"alg": "EdDSA", "typ": "portcullis-identity+jwt", "kid": "k1"}, change)
}

func body(change fields) fields {
	return changed(fields{
		"iss": "https://shop.example.com", "aud": "shop", "sub": "u1", "roles": []string{"user"}, "sid": "s1",
		"auth_time": now - 9, "iat": now, "exp": now + 60, "jti": "r1", "htm": "GET", "htu": "/me",
	}, change)
}

func signedBy(key ed25519.PrivateKey, header, claims fields) string {
	signed := encode(head(header)) + "." + encode(body(claims))
	return signed + "." + encode(ed25519.Sign(key, []byte(signed)))
}

func token(claims fields) string { return signedBy(private, nil, claims) }

func jwk(key ed25519.PublicKey, change fields) fields {
	base := fields{"kty": "OKP", "crv": "Ed25519", "x": encode([]byte(key)), "kid": "k1", "use": "sig", "alg": "EdDSA"}
	return changed(base, change)
}

// guard answers with keys.
type guard struct {
	*httptest.Server
	keys    []fields
	status  int
	fetches int
	now     int64
}

func newGuard(t *testing.T) *guard {
	one := &guard{keys: []fields{jwk(public, nil)}, status: 200, now: now}
	one.Server = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		one.fetches++
		if request.URL.Path != keysPath {
			writer.WriteHeader(404)
			return
		}
		if one.status == 302 {
			writer.Header().Set("Location", "/elsewhere")
		}
		writer.WriteHeader(one.status)
		_ = json.NewEncoder(writer).Encode(fields{"keys": one.keys})
	}))
	t.Cleanup(one.Close)
	return one
}

func (g *guard) portcullis(t *testing.T) *Portcullis {
	made, err := New(Config{
		Guard: g.URL, Issuer: "https://shop.example.com", Audience: "shop", Secret: secret,
		Now: func() time.Time { return time.Unix(g.now, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func asked(method, path, requestID, identity string) *http.Request {
	request := httptest.NewRequest(method, path, nil)
	if requestID != "" {
		request.Header.Set("X-Request-Id", requestID)
	}
	if identity != "-" {
		request.Header.Set("Portcullis-Identity", identity)
	}
	return request
}

func (g *guard) refuses(t *testing.T, one *Portcullis, request *http.Request, reason string) {
	t.Helper()
	caller, err := one.VerifyIdentity(request)
	if caller != nil || !errors.Is(err, ErrIdentity) || !strings.Contains(err.Error(), reason) {
		t.Errorf("%s: %v %v", reason, caller, err)
	}
}

func TestACallerIsKnown(t *testing.T) {
	g := newGuard(t)
	caller, err := g.portcullis(t).VerifyIdentity(asked("GET", "/me?q=1", "r1", token(fields{"tid": "t1"})))
	expected := &Caller{User: "u1", Tenant: "t1", Roles: []string{"user"}, Session: "s1", SignedInAt: now - 9}
	if err != nil || !reflect.DeepEqual(caller, expected) {
		t.Errorf("%v %v", caller, err)
	}
	caller, err = g.portcullis(t).VerifyIdentity(asked("GET", "/me", "r1", "-"))
	if caller != nil || err != nil {
		t.Errorf("nobody is calling: %v %v", caller, err)
	}
}

func TestWhatWasMadeForSomethingElseIsRefused(t *testing.T) {
	g := newGuard(t)
	one := g.portcullis(t)
	twice := asked("GET", "/me", "r1", token(nil))
	twice.Header.Add("Portcullis-Identity", token(nil))
	g.refuses(t, one, twice, "twice")
	g.refuses(t, one, asked("GET", "/me", "r1", token(fields{"iss": "https://evil.example.com"})), "`iss`")
	g.refuses(t, one, asked("GET", "/me", "r1", token(fields{"aud": "bank"})), "`aud`")
	g.refuses(t, one, asked("GET", "/me", "r1", token(fields{"aud": []string{"shop"}})), "of this kind")
	g.refuses(t, one, asked("GET", "/admin", "r1", token(nil)), "`htu`")
	g.refuses(t, one, asked("GET", "/me/", "r1", token(nil)), "`htu`")
	g.refuses(t, one, asked("GET", "/%6de", "r1", token(nil)), "`htu`")
	g.refuses(t, one, asked("POST", "/me", "r1", token(nil)), "`htm`")
	g.refuses(t, one, asked("GET", "/me", "r2", token(nil)), "`jti`")
	g.refuses(t, one, asked("GET", "/me", "", token(nil)), "`jti`")
	g.refuses(t, one, asked("GET", "/me", "", token(fields{"jti": none{}})), "`jti`")
}

func TestOtherTimesAndFormsAreRefused(t *testing.T) {
	g := newGuard(t)
	one := g.portcullis(t)
	long := strings.Repeat("x", tokenBytesMax)
	for _, refusal := range []struct{ token, reason string }{
		{token(fields{"iat": now - 66, "exp": now - 6}), "expired"},
		{token(fields{"iat": now + 6}), "future"},
		{token(fields{"exp": now + 61}), "too long"},
		{token(fields{"exp": now}), "too long"},
		{token(fields{"exp": "1800000060"}), "of this kind"},
		{token(fields{"iat": none{}}), "needed"},
		{token(fields{"sub": ""}), "`sub`"},
		{token(fields{"sub": 7}), "of this kind"},
		{token(fields{"roles": "admin"}), "of this kind"},
		{token(fields{"roles": none{}}), "`roles`"},
		{token(fields{"tid": ""}), "`tid`"},
		{"", "JWS"},
		{"a.b", "JWS"},
		{token(nil) + ".x", "JWS"},
		{token(nil) + "=", "base64url"},
		{token(nil) + "\n", "base64url"},
		{token(fields{"more": long}), "JWS"},
		{encode([]byte("[]")) + "." + encode([]byte("{}")) + ".eA", "object"},
		{encode([]byte("{")) + "." + encode([]byte("{}")) + ".eA", "object"},
	} {
		g.refuses(t, one, asked("GET", "/me", "r1", refusal.token), refusal.reason)
	}
	for _, good := range []string{token(fields{"iat": now - 64, "exp": now - 4}), token(fields{"iat": now + 5})} {
		if _, err := one.VerifyIdentity(asked("GET", "/me", "r1", good)); err != nil {
			t.Error(err)
		}
	}
}

func TestNoSignatureButTheGuardsOwn(t *testing.T) {
	g := newGuard(t)
	one := g.portcullis(t)
	parts := strings.Split(token(nil), ".")
	altered, _ := base64.RawURLEncoding.DecodeString(parts[2])
	altered[0] ^= 1
	for _, refusal := range []struct{ token, reason string }{
		{signedBy(otherPrivate, nil, nil), "signature"},
		{parts[0] + "." + encode(body(fields{"sub": "u2"})) + "." + parts[2], "signature"},
		{parts[0] + "." + parts[1] + "." + encode(altered), "signature"},
		{parts[0] + "." + parts[1] + ".", "base64url"},
		{signedBy(private, fields{"typ": "JWT"}, nil), "`typ`"},
		{signedBy(private, fields{"typ": "portcullis-session+jwt"}, nil), "`typ`"},
		{signedBy(private, fields{"crit": []string{"b64"}}, nil), "`crit`"},
		{signedBy(private, fields{"kid": none{}}, nil), "`kid`"},
		// A key that the token brings itself is not looked at.
		{signedBy(otherPrivate, fields{"jwk": jwk(otherPublic, nil)}, nil), "signature"},
	} {
		g.refuses(t, one, asked("GET", "/me", "r1", refusal.token), refusal.reason)
	}
	for _, alg := range []any{"none", "None", "HS256", "eddsa", "Ed25519", none{}} {
		g.refuses(t, one, asked("GET", "/me", "r1", signedBy(private, fields{"alg": alg}, nil)), "`alg`")
	}
	// The public key as the secret of an HMAC: whoever lets the token choose the algorithm takes this.
	for alg, reason := range map[string]string{"HS256": "`alg`", "EdDSA": "signature"} {
		signed := encode(head(fields{"alg": alg})) + "." + parts[1]
		mac := hmac.New(sha256.New, public)
		mac.Write([]byte(signed))
		g.refuses(t, one, asked("GET", "/me", "r1", signed+"."+encode(mac.Sum(nil))), reason)
	}
}

func TestKeysAreFetchedOnceAndOnceMoreForAKidThatIsNotKnown(t *testing.T) {
	g := newGuard(t)
	one := g.portcullis(t)
	known := asked("GET", "/me", "r1", token(nil))
	for range [3]int{} {
		if _, err := one.VerifyIdentity(known); err != nil {
			t.Fatal(err)
		}
	}
	unknown := asked("GET", "/me", "r1", signedBy(otherPrivate, fields{"kid": "k2"}, nil))
	g.refuses(t, one, unknown, "no such key")
	g.refuses(t, one, unknown, "no such key")
	if g.fetches != 1 {
		t.Errorf("fetched %d times: not again so soon", g.fetches)
	}
	g.now += 10
	g.keys = append(g.keys, jwk(otherPublic, fields{"kid": "k2"}))
	if _, err := one.VerifyIdentity(unknown); err != nil || g.fetches != 2 {
		t.Errorf("%v, %d fetches", err, g.fetches)
	}
}

func TestOtherKeysAndAGuardThatCannotBeAskedAreNoReasonToPass(t *testing.T) {
	g := newGuard(t)
	known := asked("GET", "/me", "r1", token(nil))
	for _, change := range []fields{{"alg": "HS256"}, {"use": "enc"}, {"kty": "oct"}, {"crv": "X25519"}} {
		g.keys = []fields{jwk(public, change)}
		g.refuses(t, g.portcullis(t), known, "no such key")
	}
	g.keys = []fields{jwk(public, nil)}
	for _, g.status = range []int{302, 404, 500} {
		g.refuses(t, g.portcullis(t), known, "cannot be fetched")
	}
	g.status = 200
	one := g.portcullis(t)
	if _, err := one.VerifyIdentity(known); err != nil {
		t.Fatal(err)
	}
	g.status = 500
	later := func() *http.Request {
		return asked("GET", "/me", "r1", token(fields{"iat": g.now, "exp": g.now + 60}))
	}
	// What was known is used for an hour.
	g.now += 3000
	if _, err := one.VerifyIdentity(later()); err != nil {
		t.Error(err)
	}
	g.now += 700
	// Also when it is not asked again, as it was a moment ago.
	g.refuses(t, one, later(), "cannot be fetched")
	g.refuses(t, one, later(), "cannot be fetched")
}

func TestAMessageAnswersOneRequest(t *testing.T) {
	g := newGuard(t)
	message := Message{Op: "create", User: "u1", Roles: []string{"user"}}
	value, err := g.portcullis(t).SessionMessage(asked("POST", "/login?x", "r1", "-"), message)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(value, ".")
	key, _ := decodedSecret(secret)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(parts[0] + "." + parts[1]))
	if parts[2] != encode(mac.Sum(nil)) {
		t.Error("another signature")
	}
	var read fields
	text, _ := base64.RawURLEncoding.DecodeString(parts[1])
	_ = json.Unmarshal(text, &read)
	expected := fields{
		"aud": "portcullis", "iat": float64(now), "exp": float64(now + 30), "jti": "r1", "htm": "POST", "htu": "/login",
		"op": "create", "sub": "u1", "roles": []any{"user"},
	}
	if !reflect.DeepEqual(read, expected) {
		t.Errorf("%v", read)
	}
	if parts[0] != encode(fields{"alg": "HS256", "typ": "portcullis-session+jwt"}) {
		t.Errorf("%s", parts[0])
	}
}

func TestAMessageThatMeansNothingIsNotMade(t *testing.T) {
	g := newGuard(t)
	for _, message := range []Message{
		{Op: "destroy"}, {Op: "create"}, {Op: "end", User: "u1"}, {Op: "end", Roles: []string{}}, {Op: "end_all", Tenant: "t1"},
	} {
		if value, err := g.portcullis(t).SessionMessage(asked("POST", "/", "r1", "-"), message); err == nil {
			t.Errorf("%v: %s", message, value)
		}
	}
	if _, err := g.portcullis(t).SessionMessage(asked("POST", "/", "", "-"), Message{Op: "end"}); err == nil {
		t.Error("without a request")
	}
}

func TestAWeakOrMissingSecretIsRefusedAtStart(t *testing.T) {
	config := Config{Guard: "https://shop.example.com", Issuer: "i", Audience: "a"}
	for _, weak := range []string{"", strings.Repeat("ab", 31), "short", strings.Repeat("a b", 20), strings.Repeat("ab", 32) + "c"} {
		config.Secret = weak
		if _, err := New(config); err == nil {
			t.Errorf("%q", weak)
		}
	}
	for _, good := range []string{strings.Repeat("ab", 32), encode([]byte(strings.Repeat("\xfe", 32)))} {
		config.Secret = good
		if _, err := New(config); err != nil {
			t.Error(err)
		}
	}
	config.Guard = ""
	if _, err := New(config); err == nil {
		t.Error("without a guard")
	}
}
