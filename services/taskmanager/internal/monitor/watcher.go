package monitor

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

const (
	// certificateLife is how long a guest's certificate is signed for; at half of it, it is renewed.
	certificateLife = 24 * time.Hour
	renewTimeout    = 30 * time.Second
	// goodNewsPause is how long it waits to tell that a database answers again: mostly a task has brought that about, and
	// tells so itself at that moment.
	goodNewsPause = 20 * time.Millisecond
	renewAgain    = time.Minute
)

var errSilent = errors.New("the guest says nothing")

// watcher keeps the stream to one guest.
type watcher struct {
	monitor    *Monitor
	instanceID string
	address    string
	logger     *slog.Logger
	cancel     context.CancelFunc
	done       chan struct{}
	// ends brings news of the certificate's end; room for one.
	ends chan time.Time

	// What was told last, so that only changes and signs of life are told.
	told   *journalv1.GuestStatus
	toldAt time.Time
	heard  time.Time
}

func (m *Monitor) watch(ctx context.Context, instanceID, address string, certificateEnds time.Time) *watcher {
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{
		monitor: m, instanceID: instanceID, address: address, logger: m.logger.With("instance_id", instanceID),
		cancel: cancel, done: make(chan struct{}), ends: make(chan time.Time, 1), heard: time.Now(),
	}
	go func() {
		defer close(w.done)
		w.run(ctx, certificateEnds)
	}()
	return w
}

// stop ends the watcher and waits for it.
func (w *watcher) stop() {
	w.cancel()
	<-w.done
}

func (w *watcher) certificateEnds(at time.Time) {
	select {
	case <-w.ends:
	default:
	}
	w.ends <- at
}

// run reads the stream, opens it again when it breaks, tells of silence, and renews the certificate.
func (w *watcher) run(ctx context.Context, certificateEnds time.Time) {
	statuses := make(chan *guestagentv1.DatabaseStatus)
	reader := make(chan struct{})
	go func() {
		defer close(reader)
		w.read(ctx, statuses)
	}()
	defer func() { <-reader }()
	silence := time.NewTimer(w.monitor.config.Silence)
	defer silence.Stop()
	renew := time.NewTimer(untilRenewal(certificateEnds))
	defer renew.Stop()
	good := time.NewTimer(0)
	good.Stop()
	defer good.Stop()
	var last *journalv1.GuestStatus
	for {
		select {
		case <-ctx.Done():
			return
		case seen := <-statuses:
			silence.Reset(w.monitor.config.Silence)
			if last = step.Report(seen); last.GetServiceStatus() == string(status.ServiceHealthy) {
				good.Reset(goodNewsPause)
				continue
			}
			good.Stop()
			w.tell(ctx, last)
		case <-good.C:
			w.tell(ctx, last)
		case <-silence.C:
			w.logger.Warn("guest is silent", "for", time.Since(w.heard).Round(time.Second))
			w.tell(ctx, nil)
			silence.Reset(w.monitor.config.Silence)
		case at := <-w.ends:
			renew.Reset(untilRenewal(at))
		case <-renew.C:
			renew.Reset(w.renew(ctx))
		}
	}
}

func untilRenewal(ends time.Time) time.Duration { return time.Until(ends.Add(-certificateLife / 2)) }

// read hands on what the guest says, over any number of streams.
func (w *watcher) read(ctx context.Context, statuses chan<- *guestagentv1.DatabaseStatus) {
	retry := firstRetry
	for ctx.Err() == nil {
		connection, err := w.monitor.dialer.Connect(w.instanceID, w.address)
		if err == nil {
			err = w.follow(ctx, connection, func(status *guestagentv1.DatabaseStatus) error {
				retry = firstRetry
				select {
				case statuses <- status:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		}
		if ctx.Err() != nil {
			return
		}
		w.logger.Debug("status stream broke, opening it again", "error", err, "in", retry)
		pause.For(ctx, retry)
		retry = min(2*retry, lastRetry)
	}
}

// follow reads one stream. A guest that says nothing for longer than it was asked to has a dead connection.
func (w *watcher) follow(ctx context.Context, g *guest.Guest, each func(*guestagentv1.DatabaseStatus) error) error {
	limit := w.monitor.config.SignOfLife * 3 / 2
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	dead := time.AfterFunc(limit, func() { cancel(errSilent) })
	defer dead.Stop()
	return g.Watch(ctx, w.monitor.config.SignOfLife, func(status *guestagentv1.DatabaseStatus) error {
		dead.Reset(limit)
		return each(status)
	})
}

// tell reports a state that changed, or one that was told long ago; nil is silence.
func (w *watcher) tell(ctx context.Context, status *journalv1.GuestStatus) {
	now := time.Now()
	if status != nil {
		w.heard = now
		// A little less than the interval, or a sign of life that is a moment early would wait for the next one.
		if same(w.told, status) && now.Sub(w.toldAt) < w.monitor.config.SignOfLife*9/10 {
			return
		}
	}
	request := &journalv1.ReportGuestStatusRequest{Worker: w.monitor.config.Worker, InstanceId: w.instanceID, Status: status}
	insist(ctx, func(ctx context.Context) error {
		_, err := w.monitor.api.ReportGuestStatus(ctx, request)
		return err
	}, w.logger)
	w.told, w.toldAt = status, now
}

// same says whether two reports show users the same. How full the volume is may wait for the next sign of life.
func same(a, b *journalv1.GuestStatus) bool {
	return a != nil && a.GetAgentLife() == b.GetAgentLife() &&
		a.GetServiceStatus() == b.GetServiceStatus() && a.GetMessage() == b.GetMessage()
}

// renew exchanges the guest's certificate and answers when to look again.
func (w *watcher) renew(ctx context.Context) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	err := w.monitor.dialer.Renew(ctx, w.instanceID, w.address, func(ctx context.Context, request []byte) ([]byte, error) {
		signed, err := w.monitor.signing.SignGuest(ctx, &journalv1.SignGuestRequest{
			InstanceId: w.instanceID, CertificateRequest: request,
		})
		return signed.GetCertificatePem(), err
	})
	if err != nil {
		w.logger.Warn("guest's certificate not renewed, trying again", "error", err, "in", renewAgain)
		return renewAgain
	}
	w.logger.Info("guest's certificate renewed")
	return certificateLife / 2
}

// insist repeats a report until the api takes it. One that it refuses is no news any more: the guest is gone, or a later
// report was quicker.
func insist(ctx context.Context, send func(context.Context) error, logger *slog.Logger) {
	retry := firstRetry
	for ctx.Err() == nil {
		calling, cancel := context.WithTimeout(ctx, callTimeout)
		err := send(calling)
		cancel()
		if err == nil || errs.IsKind(err, errs.NotFound) {
			return
		}
		if !errs.IsKind(err, errs.Unavailable) && !errs.IsKind(err, errs.Internal) {
			logger.Warn("report refused", "error", err)
			return
		}
		if ctx.Err() == nil {
			logger.Warn("report not taken, trying again", "error", err, "in", retry)
		}
		pause.For(ctx, retry)
		retry = min(2*retry, lastRetry)
	}
}
