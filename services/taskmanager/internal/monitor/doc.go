// Package monitor keeps one status stream open to each guest of its share, tells the api at once what changed, and
// nothing else but a sign of life now and then.
//
// The living taskmanagers share the guests by rendezvous hashing: each guest belongs to the worker whose name, hashed
// together with the guest's id, gives the highest number. So everybody who knows the living computes the same shares
// without a word, and when one dies only its guests move. Who lives is a lease at the api (JoinMonitors); that guests
// or workers changed comes by a stream (WatchGuests), so nobody polls for it.
//
// The same stream to the guest serves to renew its certificate at half of its life.
package monitor
