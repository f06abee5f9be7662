package main

import (
	"context"
	"errors"
	"os"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/services/api"
)

const program = "coffer-api"

func serve(ctx context.Context, args []string) (err error) {
	s, err := load(args)
	if err != nil {
		return err
	}
	logger, err := observe.NewLogger(os.Stderr, s.Log)
	if err != nil {
		return err
	}
	stopTracing, err := observe.StartTracing(ctx, s.Trace, program)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopTracing(context.WithoutCancel(ctx))) }()
	conn, err := bus.Connect(s.NATS, program+" "+s.API.Name, nil, logger)
	if err != nil {
		return err
	}
	defer conn.Close()
	registry := observe.NewRegistry()
	made, err := api.New(ctx, s.API, api.Deps{NATS: conn, Replicas: s.NATS.Replicas, Logger: logger, Metrics: registry})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, made.Close()) }()
	return made.Serve(ctx, observe.MetricsHandler(registry))
}

func migrate(ctx context.Context, args []string) error {
	s, err := load(args)
	if err != nil {
		return err
	}
	return api.Migrate(ctx, s.API)
}
