module github.com/coffer-dbaas/coffer/services/coffer

go 1.26.0

require (
	github.com/coffer-dbaas/coffer/pkg v0.0.0
	github.com/coffer-dbaas/coffer/proto v0.0.0
	github.com/coffer-dbaas/coffer/services/api v0.0.0
	github.com/coffer-dbaas/coffer/services/gateway v0.0.0
	github.com/coffer-dbaas/coffer/services/taskmanager v0.0.0
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/VividCortex/ewma v1.2.0 // indirect
	github.com/acarl005/stripansi v0.0.0-20180116102854-5a71ef0e047d // indirect
	github.com/go-sql-driver/mysql v1.10.1 // indirect
	github.com/gophercloud/gophercloud/v2 v2.15.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/mattn/go-runewidth v0.0.16 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/rogpeppe/go-internal v1.16.0 // indirect
	github.com/spf13/cobra v1.10.2 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	github.com/vbauerster/mpb/v8 v8.9.3 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/term v0.47.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261012220534-4341edf3f941 // indirect
	google.golang.org/grpc v1.85.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace github.com/coffer-dbaas/coffer/proto => ../../proto

replace github.com/coffer-dbaas/coffer/pkg => ../../pkg

replace github.com/coffer-dbaas/coffer/services/gateway => ../../services/gateway

replace github.com/coffer-dbaas/coffer/services/api => ../../services/api

replace github.com/coffer-dbaas/coffer/services/taskmanager => ../../services/taskmanager
