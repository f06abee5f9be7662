package api_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
)

const unknownID = "0b3e1c1e-0000-4000-8000-0000000000ff"

// state is all that is written of instances, tasks, quota, secrets and messages, by table.
func (w *world) state() map[string][]string {
	w.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "state.db"))
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, db.Close()) }()
	tables := w.rows(db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%token%'`)
	content := map[string][]string{}
	for _, table := range tables {
		content[table] = w.rows(db, `SELECT * FROM "`+strings.TrimSpace(table)+`"`)
	}
	require.Contains(w.t, content, "instances")
	require.Contains(w.t, content, "outbox")
	return content
}

func (w *world) rows(db *sql.DB, query string) []string {
	w.t.Helper()
	found, err := db.QueryContext(w.t.Context(), query)
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, found.Close()) }()
	columns, err := found.Columns()
	require.NoError(w.t, err)
	lines := []string{}
	for found.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		require.NoError(w.t, found.Scan(pointers...))
		line := make([]string, len(values))
		for i, value := range values {
			line[i] = fmt.Sprint(value)
		}
		lines = append(lines, strings.Join(line, "|"))
	}
	require.NoError(w.t, found.Err())
	return lines
}

func object(pairs map[string]any) *structpb.Value {
	value, err := structpb.NewStruct(pairs)
	if err != nil {
		panic(err)
	}
	return structpb.NewStructValue(value)
}

func TestRefusedCreatesSayWhyAndLeaveNothing(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	number, str := structpb.NewNumberValue, structpb.NewStringValue
	databases := func(names ...string) (list []*instancev1.NewDatabase) {
		for _, name := range names {
			list = append(list, &instancev1.NewDatabase{Name: name})
		}
		return list
	}
	user := func(name, password string, databases ...string) *instancev1.NewUser {
		u := &instancev1.NewUser{Name: name, Password: password}
		for _, database := range databases {
			u.Databases = append(u.Databases, &instancev1.NewUserDatabase{Name: database})
		}
		return u
	}
	tests := map[string]struct {
		change func(*instancev1.NewInstance)
		kind   errs.Kind
		says   string
	}{
		"no name":           {func(b *instancev1.NewInstance) { b.Name = nil }, errs.Invalid, "Validation error: instance 'name' is a required property"},
		"empty name":        {func(b *instancev1.NewInstance) { b.Name = text("") }, errs.Invalid, "Validation error: instance['name'] '' is too short; it must have 1 to 255 characters"},
		"long name":         {func(b *instancev1.NewInstance) { b.Name = text(strings.Repeat("é", 256)) }, errs.Invalid, "Validation error: instance['name'] is too long; it must have 1 to 255 characters"},
		"name of signs":     {func(b *instancev1.NewInstance) { b.Name = text("-_-") }, errs.Invalid, "Validation error: instance['name'] '-_-' must contain a letter or a digit"},
		"no flavor":         {func(b *instancev1.NewInstance) { b.FlavorRef = nil }, errs.Invalid, "Validation error: instance 'flavorRef' is a required property"},
		"null flavor":       {func(b *instancev1.NewInstance) { b.FlavorRef = structpb.NewNullValue() }, errs.Invalid, "Validation error: instance 'flavorRef' is a required property"},
		"half a flavor":     {func(b *instancev1.NewInstance) { b.FlavorRef = number(1.5) }, errs.Invalid, "Validation error: instance['flavorRef'] 1.5 is not a string or an integer"},
		"flavor as a list":  {func(b *instancev1.NewInstance) { b.FlavorRef = structpb.NewListValue(&structpb.ListValue{}) }, errs.Invalid, "Validation error: instance['flavorRef'] is not a string or an integer"},
		"unknown flavor":    {func(b *instancev1.NewInstance) { b.FlavorRef = number(77) }, errs.Invalid, "Resource 77 cannot be found."},
		"unknown by URL":    {func(b *instancev1.NewInstance) { b.FlavorRef = str("https://x/flavors/99") }, errs.Invalid, "Resource 99 cannot be found."},
		"no volume":         {func(b *instancev1.NewInstance) { b.Volume = nil }, errs.Invalid, "Volume size was not specified."},
		"no volume size":    {func(b *instancev1.NewInstance) { b.Volume.Size = nil }, errs.Invalid, "Volume size was not specified."},
		"volume of 0":       {func(b *instancev1.NewInstance) { b.Volume.Size = number(0) }, errs.Invalid, "Validation error: instance['volume']['size'] 0 is less than the minimum of 1"},
		"volume of -1":      {func(b *instancev1.NewInstance) { b.Volume.Size = str("-1") }, errs.Invalid, "Validation error: instance['volume']['size'] '-1' does not match '^[0-9]+$'"},
		"volume of 1.5":     {func(b *instancev1.NewInstance) { b.Volume.Size = number(1.5) }, errs.Invalid, "Validation error: instance['volume']['size'] 1.5 is not an integer of at least 1"},
		"volume of abc":     {func(b *instancev1.NewInstance) { b.Volume.Size = str("abc") }, errs.Invalid, "Validation error: instance['volume']['size'] 'abc' does not match '^[0-9]+$'"},
		"volume as a truth": {func(b *instancev1.NewInstance) { b.Volume.Size = structpb.NewBoolValue(true) }, errs.Invalid, "Validation error: instance['volume']['size'] is not an integer or a string of digits"},
		"volume too big":    {func(b *instancev1.NewInstance) { b.Volume.Size = number(11) }, errs.OverQuota, "Volume 'size' cannot exceed maximum of 10 GB, 11 cannot be accepted."},
		"volume beyond all": {func(b *instancev1.NewInstance) { b.Volume.Size = str("99999999999999999999") }, errs.OverQuota, "Volume 'size' cannot exceed maximum of 10 GB, 9223372036854775807 cannot be accepted."},
		"volume type":       {func(b *instancev1.NewInstance) { b.Volume.Type = text("ssd") }, errs.Invalid, "The provider 'local' has no volume type 'ssd'; it has: local."},

		"datastore":         {func(b *instancev1.NewInstance) { b.Datastore = &instancev1.NewDatastore{Type: text("oracle")} }, errs.NotFound, "Datastore 'oracle' cannot be found."},
		"version by name":   {func(b *instancev1.NewInstance) { b.Datastore = &instancev1.NewDatastore{Version: text("5.5")} }, errs.Invalid, "Datastore version '5.5' cannot be found."},
		"version by id":     {func(b *instancev1.NewInstance) { b.Datastore = &instancev1.NewDatastore{Version: text(unknownID)} }, errs.NotFound, "Datastore version '" + unknownID + "' cannot be found in the datastore 'mariadb'."},
		"version by number": {func(b *instancev1.NewInstance) { b.Datastore = &instancev1.NewDatastore{VersionNumber: text("1.2.3")} }, errs.Invalid, "Datastore version '1.2.3' cannot be found."},
		"name and number": {func(b *instancev1.NewInstance) {
			b.Datastore = &instancev1.NewDatastore{Version: text("10.11"), VersionNumber: text("10.11.1")}
		}, errs.Invalid, "Datastore version '10.11 (10.11.1)' cannot be found."},

		"short database":    {func(b *instancev1.NewInstance) { b.Databases = databases("x") }, errs.Invalid, "'x' is not a valid schema name: it must have 2 to 64 characters, letters, digits, '_' or '-', with none but ' ', '?', '#' or '@' between them."},
		"long database":     {func(b *instancev1.NewInstance) { b.Databases = databases(strings.Repeat("x", 65)) }, errs.Invalid, "is not a valid schema name"},
		"database path":     {func(b *instancev1.NewInstance) { b.Databases = databases("../etc") }, errs.Invalid, "'../etc' is not a valid schema name"},
		"nameless database": {func(b *instancev1.NewInstance) { b.Databases = databases("") }, errs.Invalid, "Validation error: instance['databases'] 'name' of a database is missing or empty"},
		"reserved database": {func(b *instancev1.NewInstance) { b.Databases = databases("Information_Schema") }, errs.Invalid, "The database name 'Information_Schema' is reserved."},
		"database twice":    {func(b *instancev1.NewInstance) { b.Databases = databases("shop", "shop") }, errs.Invalid, "Databases must have unique names; 'shop' is given more than once."},
		"character set": {func(b *instancev1.NewInstance) {
			b.Databases = databases("shop")
			b.Databases[0].CharacterSet = text("klingon")
		}, errs.Invalid, "'klingon' not a valid character set."},
		"camel set": {func(b *instancev1.NewInstance) {
			b.Databases = databases("shop")
			b.Databases[0].CharacterSetCamel = text("*")
		}, errs.Invalid, "'*' not a valid character set."},
		"collation": {func(b *instancev1.NewInstance) {
			b.Databases = databases("shop")
			b.Databases[0].Collate = text("utf8mb4_x_ci")
		}, errs.Invalid, "'utf8mb4_x_ci' not a valid collation."},
		"foreign collation": {
			func(b *instancev1.NewInstance) {
				b.Databases = databases("shop")
				b.Databases[0].CharacterSet, b.Databases[0].Collate = text("latin1"), text("utf8mb4_bin")
			}, errs.Invalid, "'utf8mb4_bin' not a valid collation for character set 'latin1'.",
		},

		"nameless user":     {func(b *instancev1.NewInstance) { b.Users = []*instancev1.NewUser{user("", "pw")} }, errs.Invalid, "Validation error: instance['users'] 'name' of a user is missing or empty"},
		"user of 33":        {func(b *instancev1.NewInstance) { b.Users = []*instancev1.NewUser{user(strings.Repeat("u", 33), "pw")} }, errs.Invalid, "is not a valid user name"},
		"quote in user":     {func(b *instancev1.NewInstance) { b.Users = []*instancev1.NewUser{user("o'hara", "pw")} }, errs.Invalid, "'o'hara' is not a valid user name"},
		"blank user":        {func(b *instancev1.NewInstance) { b.Users = []*instancev1.NewUser{user(" u", "pw")} }, errs.Invalid, "' u' is not a valid user name"},
		"reserved user":     {func(b *instancev1.NewInstance) { b.Users = []*instancev1.NewUser{user("Root", "pw")} }, errs.Invalid, "The user name 'Root' is reserved."},
		"no password":       {func(b *instancev1.NewInstance) { b.Users = []*instancev1.NewUser{user("u", "")} }, errs.Invalid, "Validation error: instance['users'] 'password' of user 'u' is missing or empty"},
		"quote in password": {func(b *instancev1.NewInstance) { b.Users = []*instancev1.NewUser{user("u", "planted`secret")} }, errs.Invalid, "The password of user 'u' is not valid"},
		"user's host": {func(b *instancev1.NewInstance) {
			b.Users = []*instancev1.NewUser{user("u", "pw")}
			b.Users[0].Host = text("300.1.%")
		}, errs.Invalid, "'300.1.%' is not a valid host of user 'u': it must be an IPv4 address, in which % stands for any number."},
		"user's short host": {func(b *instancev1.NewInstance) {
			b.Users = []*instancev1.NewUser{user("u", "pw")}
			b.Users[0].Host = text("10.1")
		}, errs.Invalid, "'10.1' is not a valid host of user 'u'"},
		"user twice":          {func(b *instancev1.NewInstance) { b.Users = []*instancev1.NewUser{user("u", "pw"), user("u", "qw")} }, errs.Invalid, "Users must be unique by name and host; 'u@%' is given more than once."},
		"user's own database": {func(b *instancev1.NewInstance) { b.Users = []*instancev1.NewUser{user("u", "pw", "shop")} }, errs.Invalid, "Database 'shop' of user 'u' is not among the databases of the request."},

		"two nics":  {func(b *instancev1.NewInstance) { b.Nics = make([]*instancev1.NewNIC, 2) }, errs.Invalid, "Validation error: instance['nics'] has 2 elements; there can be at most 1"},
		"empty nic": {func(b *instancev1.NewInstance) { b.Nics = []*instancev1.NewNIC{{}} }, errs.Invalid, "Instance network or subnet needs to be specified."},
		"two networks": {func(b *instancev1.NewInstance) {
			b.Nics = []*instancev1.NewNIC{{NetId: text(networkID), NetworkId: text(unknownID)}}
		}, errs.Invalid, "Validation error: instance['nics'][0] names two networks, in 'net-id' and in 'network_id'"},
		"unknown network": {func(b *instancev1.NewInstance) { b.Nics = []*instancev1.NewNIC{{NetId: text(unknownID)}} }, errs.Invalid, "Network " + unknownID + " not found."},
		"unknown subnet":  {func(b *instancev1.NewInstance) { b.Nics = []*instancev1.NewNIC{{SubnetId: text(unknownID)}} }, errs.Invalid, "Subnet " + unknownID + " not found."},
		"foreign subnet": {func(b *instancev1.NewInstance) {
			b.Nics = []*instancev1.NewNIC{{NetworkId: text(networkID), SubnetId: text(unknownID)}}
		}, errs.Invalid, "Subnet " + unknownID + " not found in the network " + networkID + "."},
		"address alone": {func(b *instancev1.NewInstance) {
			b.Nics = []*instancev1.NewNIC{{NetworkId: text(networkID), IpAddress: text("10.0.0.1")}}
		}, errs.Invalid, "Validation error: instance['nics'][0]['ip_address'] needs a 'subnet_id' beside it"},
		"no address": {func(b *instancev1.NewInstance) {
			b.Nics = []*instancev1.NewNIC{{SubnetId: text(subnetID), V4FixedIp: text("10.0.0")}}
		}, errs.Invalid, "Validation error: instance['nics'][0]['ip_address'] '10.0.0' is not an IPv4 address"},
		"chosen address": {func(b *instancev1.NewInstance) {
			b.Nics = []*instancev1.NewNIC{{SubnetId: text(subnetID), IpAddress: text("10.0.0.1")}}
		}, errs.Invalid, "The provider 'local' chooses addresses itself; ip_address must be absent."},
		"zone":          {func(b *instancev1.NewInstance) { b.AvailabilityZone = text("mars") }, errs.Invalid, "The provider 'local' has no availability zone 'mars'; it has: nova."},
		"empty zone":    {func(b *instancev1.NewInstance) { b.AvailabilityZone = text("") }, errs.Invalid, "Validation error: instance['availability_zone'] '' is too short; it must have 1 to 255 characters"},
		"region":        {func(b *instancev1.NewInstance) { b.RegionName = text("Two") }, errs.Invalid, "The provider 'local' serves the region 'RegionOne' only, not 'Two'."},
		"locality":      {func(b *instancev1.NewInstance) { b.Locality = text("near") }, errs.Invalid, "Validation error: instance['locality'] 'near' is not one of: affinity, anti-affinity, soft-affinity, soft-anti-affinity"},
		"anti-affinity": {func(b *instancev1.NewInstance) { b.Locality = text("anti-affinity") }, errs.Invalid, "The provider 'local' cannot keep servers on different hosts; locality can be affinity, soft-affinity or soft-anti-affinity."},
		"public":        {func(b *instancev1.NewInstance) { yes := true; b.Access = &instancev1.NewAccess{IsPublic: &yes} }, errs.Invalid, "The provider 'local' cannot give public addresses; is_public must be false or absent."},
		"no such network": {func(b *instancev1.NewInstance) {
			b.Access = &instancev1.NewAccess{AllowedCidrs: []string{"300.0.0.0/8"}}
		}, errs.Invalid, "Validation error: instance['access']['allowed_cidrs'] '300.0.0.0/8' is not an IPv4 CIDR such as 10.0.0.0/8"},
		"network of six": {func(b *instancev1.NewInstance) { b.Access = &instancev1.NewAccess{AllowedCidrs: []string{"::/0"}} }, errs.Invalid, "'::/0' is not an IPv4 CIDR"},
		"network twice": {func(b *instancev1.NewInstance) {
			b.Access = &instancev1.NewAccess{AllowedCidrs: []string{"0.0.0.0/0", "0.0.0.0/0"}}
		}, errs.Invalid, "'0.0.0.0/0' is given more than once"},
		"restricted": {func(b *instancev1.NewInstance) {
			b.Access = &instancev1.NewAccess{AllowedCidrs: []string{"10.0.0.0/8"}}
		}, errs.Invalid, "The provider 'local' cannot restrict who connects; allowed_cidrs must be absent or [\"0.0.0.0/0\"]."},
		"replicas of none": {func(b *instancev1.NewInstance) { b.ReplicaCount = number(2) }, errs.Invalid, "Replica count only valid when creating replicas. Cannot create 2 instances."},
		"many replicas":    {func(b *instancev1.NewInstance) { b.ReplicaCount = number(4) }, errs.Invalid, "Validation error: instance['replica_count'] 4 is not an integer from 1 to 3"},
		"replicas in text": {func(b *instancev1.NewInstance) { b.ReplicaCount = str("2") }, errs.Invalid, "Validation error: instance['replica_count'] is not an integer from 1 to 3"},
		"source in text":   {func(b *instancev1.NewInstance) { b.ReplicaOf = text("other") }, errs.Invalid, "Validation error: instance['replica_of'] 'other' is not the id of an instance"},
		"replica's flavor": {func(b *instancev1.NewInstance) { b.ReplicaOf = text(unknownID) }, errs.Invalid, "Cannot specify flavor when creating replicas."},
		"unknown source": {
			func(b *instancev1.NewInstance) { b.ReplicaOf, b.FlavorRef, b.Volume = text(unknownID), nil, nil },
			errs.NotFound, "Resource " + unknownID + " cannot be found.",
		},
		"group":          {func(b *instancev1.NewInstance) { b.Configuration = str("https://x/configurations/" + unknownID) }, errs.NotFound, "Configuration group id: " + unknownID + " could not be found."},
		"group's number": {func(b *instancev1.NewInstance) { b.Configuration = number(1) }, errs.Invalid, "Validation error: instance['configuration'] is not a string"},
		"no backup":      {func(b *instancev1.NewInstance) { b.RestorePoint = object(nil) }, errs.Invalid, "Validation error: instance['restorePoint'] 'backupRef' is a required property"},
		"backup's name":  {func(b *instancev1.NewInstance) { b.RestorePoint = object(map[string]any{"backupRef": "mine"}) }, errs.Invalid, "Validation error: instance['restorePoint']['backupRef'] is not the id of a backup"},
		"unknown backup": {func(b *instancev1.NewInstance) { b.RestorePoint = object(map[string]any{"backupRef": unknownID}) }, errs.NotFound, "Resource " + unknownID + " cannot be found."},
		"unknown module": {
			func(b *instancev1.NewInstance) {
				b.Modules = structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{object(map[string]any{"id": unknownID})}})
			}, errs.NotFound, "Resource " + unknownID + " cannot be found.",
		},
	}
	w := newWorld(t).offering()
	before := w.state()
	for name, test := range tests {
		body := order("refused")
		test.change(body)
		_, err := w.instances().CreateInstance(w.as("demo"),
			&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: body})
		require.Error(t, err, name)
		assert.Equal(t, test.kind.Code(), status.Code(err), "%s: %s", name, err)
		assert.Contains(t, status.Convert(err).Message(), test.says, name)
		assert.NotContains(t, err.Error(), "planted", name)
	}
	_, err := w.instances().CreateInstance(w.as("demo"), &instancev1.CreateInstanceRequest{ProjectId: w.project("demo")})
	assert.True(t, errs.IsKind(err, errs.Invalid))
	assert.Equal(t, before, w.state(), "nothing is left of them")
	assert.NotContains(t, w.log.String(), "planted")
}

func TestMoreThanTheQuotaIsRefusedWithTheNamesOfAllResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withQuota(2, 1000, 5)).offering()
	w.create("demo", order("one"))
	before := w.state()
	body := order("two")
	body.Volume.Size = structpb.NewNumberValue(5)
	_, err := w.instances().CreateInstance(w.as("demo"),
		&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: body})
	assert.True(t, errs.IsKind(err, errs.OverQuota))
	require.ErrorContains(t, err, "Quota exceeded for resources: ['ram', 'volumes'].")
	assert.Equal(t, before["instances"], w.state()["instances"])
	assert.Equal(t, before["tasks"], w.state()["tasks"])
}
