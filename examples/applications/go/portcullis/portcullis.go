// Package portcullis is what an application behind Portcullis needs: who is calling, and how it begins and ends sessions.
// It needs the standard library alone.
package portcullis

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	keysPath           = "/.portcullis/jwks.json"
	tokenBytesMax      = 8 * 1024
	keysBytesMax       = 64 * 1024
	keysCountMax       = 16
	leewaySeconds      = 5
	identitySecondsMax = 60
	messageSeconds     = 30
	fetchTimeout       = 3 * time.Second
	// Known keys are used for so long without another look, and for so long when the guard cannot be asked.
	fresh = 5 * time.Minute
	stale = time.Hour
	// A key that is not known is asked for once, and not again before so much time has passed.
	again = 10 * time.Second
)

// ErrIdentity is in the chain of every refusal. What else it says is for the log, not for the caller.
var ErrIdentity = errors.New("identity refused")

// Config says which guard stands before which application.
type Config struct {
	Guard    string // where the guard answers from here, as `https://shop.example.com`; its keys are fetched there
	Issuer   string // `public_url` of the policy
	Audience string // `[identity.application] audience`, or the policy's `name`
	Secret   string // `[identity.application] secret`, hex or base64url
	// Now is there for tests. The clock where it is nil.
	Now func() time.Time
	// Client fetches the keys. One that follows no redirect where it is nil.
	Client *http.Client
}

// Caller is who is calling.
type Caller struct {
	User       string
	Tenant     string // empty where there is none
	Roles      []string
	Session    string
	SignedInAt int64
}

// Message is what becomes of the caller's session.
type Message struct {
	// Op is `create` (User, Tenant, Roles), `rotate` (Tenant, Roles: what changes), `end` (this session), `end_all` (all of
	// this user's).
	Op     string
	User   string
	Tenant string
	Roles  []string // nil where nothing is said about them
}

// Portcullis is one for each application; goroutines may share it.
type Portcullis struct {
	config  Config
	keysURL string
	secret  []byte

	mutex     sync.Mutex
	keys      map[string]ed25519.PublicKey
	fetchedAt time.Time
	askedAt   time.Time
}

// New refuses what is missing, and a secret of less than 32 bytes.
func New(config Config) (*Portcullis, error) {
	for name, value := range map[string]string{"Guard": config.Guard, "Issuer": config.Issuer, "Audience": config.Audience} {
		if value == "" {
			return nil, fmt.Errorf("`%s` is needed", name)
		}
	}
	guard, err := url.Parse(config.Guard)
	if err != nil {
		return nil, err
	}
	secret, err := decodedSecret(config.Secret)
	if err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Client == nil {
		refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		config.Client = &http.Client{Timeout: fetchTimeout, CheckRedirect: refuse}
	}
	return &Portcullis{config: config, keysURL: guard.ResolveReference(&url.URL{Path: keysPath}).String(), secret: secret}, nil
}

type header struct {
	Alg  string           `json:"alg"`
	Typ  string           `json:"typ"`
	Kid  string           `json:"kid"`
	Crit *json.RawMessage `json:"crit"`
}

type claims struct {
	Iss      string    `json:"iss"`
	Aud      string    `json:"aud"`
	Sub      string    `json:"sub"`
	Tid      *string   `json:"tid"`
	Roles    *[]string `json:"roles"`
	Sid      string    `json:"sid"`
	AuthTime int64     `json:"auth_time"`
	Iat      *int64    `json:"iat"`
	Exp      *int64    `json:"exp"`
	Jti      string    `json:"jti"`
	Htm      string    `json:"htm"`
	Htu      string    `json:"htu"`
}

// VerifyIdentity tells who is calling, or nil where the guard says that nobody is. An error where it cannot be believed:
// answer 401 and nothing else then.
func (p *Portcullis) VerifyIdentity(request *http.Request) (*Caller, error) {
	tokens := request.Header.Values("Portcullis-Identity")
	if len(tokens) == 0 {
		return nil, nil
	}
	if len(tokens) > 1 {
		return nil, refused("it came twice")
	}
	kid, signed, signature, claims, err := parsed(tokens[0])
	if err != nil {
		return nil, err
	}
	key, err := p.key(kid)
	if err != nil {
		return nil, err
	}
	if !ed25519.Verify(key, signed, signature) {
		return nil, refused("the signature is wrong")
	}
	now := p.config.Now().Unix()
	requestID, err := requestID(request)
	if err != nil {
		return nil, refused("`jti` is another request")
	}
	for _, one := range []struct {
		holds  bool
		reason string
	}{
		{claims.Iss == p.config.Issuer, "`iss` is another guard"},
		{claims.Aud == p.config.Audience, "`aud` is another application"},
		{claims.Iat != nil && claims.Exp != nil, "`iat` and `exp` are needed"},
		// What was made for another request is refused: whoever got hold of a header cannot use it elsewhere.
		{claims.Jti == requestID, "`jti` is another request"},
		{claims.Htm == request.Method, "`htm` is another method"},
		{claims.Htu == writtenPath(request), "`htu` is another path"},
		{claims.Sub != "", "`sub` is needed"},
		{claims.Roles != nil, "`roles` is needed"},
		{claims.Tid == nil || *claims.Tid != "", "`tid` is no text"},
	} {
		if !one.holds {
			return nil, refused(one.reason)
		}
	}
	iat, exp := *claims.Iat, *claims.Exp
	switch {
	case exp <= iat || exp-iat > identitySecondsMax:
		return nil, refused("it is valid for too long")
	case iat > now+leewaySeconds:
		return nil, refused("it is from the future")
	case exp <= now-leewaySeconds:
		return nil, refused("it has expired")
	}
	caller := &Caller{User: claims.Sub, Roles: *claims.Roles, Session: claims.Sid, SignedInAt: claims.AuthTime}
	if claims.Tid != nil {
		caller.Tenant = *claims.Tid
	}
	return caller, nil
}

// SessionMessage is the value of the response's field `Portcullis-Session`, good for the answer to this request alone.
func (p *Portcullis) SessionMessage(request *http.Request, message Message) (string, error) {
	switch message.Op {
	case "create", "rotate", "end", "end_all":
	default:
		return "", fmt.Errorf("there is no operation `%s`", message.Op)
	}
	if (message.Op == "create") != (message.User != "") {
		return "", errors.New("`User` belongs to `create`")
	}
	if strings.HasPrefix(message.Op, "end") && (message.Tenant != "" || message.Roles != nil) {
		return "", errors.New("an end changes nothing else")
	}
	jti, err := requestID(request)
	if err != nil {
		return "", err
	}
	iat := p.config.Now().Unix()
	claims := map[string]any{
		"aud": "portcullis", "iat": iat, "exp": iat + messageSeconds, "jti": jti,
		"htm": request.Method, "htu": writtenPath(request), "op": message.Op,
	}
	if message.User != "" {
		claims["sub"] = message.User
	}
	if message.Tenant != "" {
		claims["tid"] = message.Tenant
	}
	if message.Roles != nil {
		claims["roles"] = message.Roles
	}
	signed, err := encoded(map[string]string{"alg": "HS256", "typ": "portcullis-session+jwt"}, claims)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, p.secret)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

func (p *Portcullis) key(kid string) (ed25519.PublicKey, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	now := p.config.Now()
	key, isKnown := p.keys[kid]
	var cause error
	if !(isKnown && now.Sub(p.fetchedAt) < fresh) && now.Sub(p.askedAt) >= again {
		p.askedAt = now
		var keys map[string]ed25519.PublicKey
		if keys, cause = p.fetch(); cause == nil {
			p.keys, p.fetchedAt = keys, now
		}
		key, isKnown = p.keys[kid]
	}
	if now.Sub(p.fetchedAt) >= stale {
		return nil, refused(fmt.Sprintf("the guard's keys cannot be fetched: %v", cause))
	}
	if !isKnown {
		return nil, refused("there is no such key")
	}
	return key, nil
}

func (p *Portcullis) fetch() (map[string]ed25519.PublicKey, error) {
	// Not with the context of the request: whoever hangs up must not keep others waiting for the keys.
	answer, err := p.config.Client.Get(p.keysURL)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d", p.keysURL, answer.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, keysBytesMax+1))
	if err != nil {
		return nil, err
	}
	if len(text) > keysBytesMax {
		return nil, errors.New("the key set is too long")
	}
	var set struct {
		Keys []struct{ Kty, Crv, X, Kid, Use, Alg string }
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	keys := map[string]ed25519.PublicKey{}
	for place, key := range set.Keys {
		// The kind of key is settled here, so that no token can choose another.
		isOurs := key.Kty == "OKP" && key.Crv == "Ed25519" && key.Use == "sig" && key.Alg == "EdDSA"
		if place >= keysCountMax || !isOurs || key.Kid == "" {
			continue
		}
		x, err := decoded(key.X)
		if err != nil || len(x) != ed25519.PublicKeySize {
			return nil, errors.New("a key is no point of Ed25519")
		}
		keys[key.Kid] = x
	}
	return keys, nil
}

// parsed takes a compact JWS apart. Of its header nothing is believed but which key it names.
func parsed(token string) (kid string, signed, signature []byte, body claims, err error) {
	parts := strings.Split(token, ".")
	if len(token) > tokenBytesMax || len(parts) != 3 {
		err = refused("it is no compact JWS")
		return
	}
	var head header
	if err = object(parts[0], &head); err != nil {
		return
	}
	if err = object(parts[1], &body); err != nil {
		return
	}
	// RFC 8725 §3.1: the algorithm is ours to say, so another one is refused before any key is looked at.
	switch {
	case head.Alg != "EdDSA":
		err = refused("`alg` is not EdDSA")
	case head.Typ != "portcullis-identity+jwt":
		err = refused("`typ` is another kind of token")
	case head.Crit != nil:
		err = refused("`crit` is not understood")
	case head.Kid == "":
		err = refused("`kid` is needed")
	}
	if err != nil {
		return
	}
	if signature, err = decoded(parts[2]); err != nil {
		return
	}
	if len(signature) != ed25519.SignatureSize {
		err = refused("the signature is wrong")
	}
	return head.Kid, []byte(parts[0] + "." + parts[1]), signature, body, err
}

func refused(reason string) error {
	return fmt.Errorf("%w: %s", ErrIdentity, reason)
}

func object(part string, value any) error {
	text, err := decoded(part)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(text), "{") {
		return refused("it is no JSON object")
	}
	if err := json.Unmarshal(text, value); err != nil {
		return refused("it is no JSON object of this kind")
	}
	return nil
}

// decoded reads base64url without padding, in the one spelling that its bytes have.
func decoded(text string) ([]byte, error) {
	read, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// The decoder passes over line feeds.
	if err != nil || text == "" || strings.ContainsAny(text, "\r\n") {
		return nil, refused("it is not base64url")
	}
	return read, nil
}

func encoded(parts ...any) (string, error) {
	texts := make([]string, len(parts))
	for place, part := range parts {
		text, err := json.Marshal(part)
		if err != nil {
			return "", err
		}
		texts[place] = base64.RawURLEncoding.EncodeToString(text)
	}
	return strings.Join(texts, "."), nil
}

// decodedSecret takes a text of hex digits alone for hex, as the guard reads it.
func decodedSecret(text string) ([]byte, error) {
	secret, err := hex.DecodeString(text)
	if strings.Trim(text, "0123456789abcdefABCDEF") != "" {
		secret, err = decoded(text)
	}
	if err != nil || len(secret) < 32 {
		return nil, errors.New("`Secret` has to be 32 bytes or more, in hex or base64url")
	}
	return secret, nil
}

// writtenPath is the path as it came: `URL.Path` is decoded, and StripPrefix changes it.
func writtenPath(request *http.Request) string {
	path, _, _ := strings.Cut(request.RequestURI, "?")
	return path
}

func requestID(request *http.Request) (string, error) {
	values := request.Header.Values("X-Request-Id")
	if len(values) != 1 || values[0] == "" {
		return "", errors.New("there is no X-Request-Id: is the guard before this application?")
	}
	return values[0], nil
}
