package builtin

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/crypto/bcrypt"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

const (
	// passwordCost makes a verification take about 50 to 100 ms of one core.
	passwordCost = 11
	// maxCost keeps one login from taking seconds.
	maxCost = 14
	// maxPassword is how many bytes bcrypt looks at; longer passwords are never right.
	maxPassword = 72
	// maxWaiting is how many logins may wait for their turn.
	maxWaiting = 64
)

// absentHash is compared for users who do not exist, so that they cost the same. Its password was random and is lost.
const absentHash = "$2a$11$gxrcG2BIppDOYfRJsmGTpOkzQv3fxLvpPi7Uqc91ZTnQ/PbvWCK4O"

// HashPassword makes a hash for the users file. It refuses passwords of more than 72 bytes.
func HashPassword(password string) (string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), passwordCost)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return string(hash), nil
}

// verifier compares passwords with hashes, a few at a time, so that a flood of logins leaves cores for everyone else.
type verifier struct {
	turns   chan struct{}
	waiting chan struct{}
}

func newVerifier() *verifier {
	atOnce := max(1, runtime.GOMAXPROCS(0)/2)
	return &verifier{
		turns:   make(chan struct{}, atOnce),
		waiting: make(chan struct{}, atOnce+maxWaiting),
	}
}

var errBusy = errs.New(errs.Unavailable, "TOO_MANY_LOGINS", "Too many logins at once; try again in a moment.")

// matches says whether the password is the user's. A nil user has none, and takes as long.
func (v *verifier) matches(ctx context.Context, u *user, password string) (bool, error) {
	select {
	case v.waiting <- struct{}{}:
		defer func() { <-v.waiting }()
	default:
		return false, errBusy
	}
	select {
	case v.turns <- struct{}{}:
		defer func() { <-v.turns }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	hash, possible := []byte(absentHash), u != nil && !u.disabled && len(password) <= maxPassword
	if u != nil {
		hash = u.passwordHash
	}
	err := bcrypt.CompareHashAndPassword(hash, []byte(password))
	if err != nil && !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return err == nil && possible, nil
}
