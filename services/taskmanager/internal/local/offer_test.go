package local

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/providertest"
)

const rootedVersion = "11.8.6"

// addRoot gives the host a root folder with a MariaDB of another series.
func (h *host) addRoot(t *testing.T) (root string) {
	t.Helper()
	root = filepath.Join(openTempDir(t), "root")
	putProgram(t, root, "usr/sbin/mariadbd", "mariadbd  Ver "+rootedVersion+"-MariaDB-0+deb13u1 from Debian")
	h.cfg.EngineRoots = append(h.cfg.EngineRoots, root)
	return root
}

// rooted is a cloud whose datastore is in a root folder.
type rooted struct{ cloud }

func (rooted) Version() string { return rootedVersion }

func TestVersionsInRootFoldersAreOfferedToRootAlone(t *testing.T) {
	h := newHost(t)
	root := h.addRoot(t)
	var said bytes.Buffer
	p, err := Open(t.Context(), h.cfg, slog.New(slog.NewTextHandler(&said, nil)))
	require.NoError(t, err)
	catalog, err := p.Catalog(t.Context())
	require.NoError(t, err)
	var names []string
	for _, v := range catalog.GetDatastoreVersions() {
		names = append(names, v.GetName())
	}
	if os.Geteuid() != 0 {
		assert.Equal(t, []string{"10.11"}, names)
		assert.Contains(t, said.String(), root)
		return
	}
	assert.Equal(t, []string{"10.11", "11.8"}, names)
	assert.NotContains(t, said.String(), root)
}

func TestTheLocalProviderDoesTheSameWithAVersionInARootFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("root folders are for root")
	}
	providertest.Run(t, func(t *testing.T) providertest.Cloud {
		h := newHost(t)
		h.addRoot(t)
		return rooted{cloud{h}}
	})
}

func TestAServerKnowsWhereTheProgramsOfItsVersionAre(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	root := filepath.Join(openTempDir(t), "root")
	putProgram(t, root, "usr/sbin/mariadbd", "mariadbd  Ver "+rootedVersion+"-MariaDB")
	p.offers.places = append(p.offers.places, place{root: root, guestAgent: p.guestAgent})
	for version, want := range map[string]serverFile{
		"10.11.14":    {EnginePrefix: h.cfg.EnginePrefix},
		rootedVersion: {EngineRoot: root},
	} {
		spec := h.makeParts(t, p)
		spec.Version = version
		_, err := p.CreateServer(t.Context(), spec)
		require.NoError(t, err)
		s, err := p.folder.readServer(spec.InstanceID)
		require.NoError(t, err)
		assert.Equal(t, want, serverFile{EngineRoot: s.EngineRoot, EnginePrefix: s.EnginePrefix}, version)
		require.NoError(t, p.DeleteServer(t.Context(), spec.InstanceID))
	}
}

func TestOfASeriesTheFirstPlacesIsOffered(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	host, first, second, empty := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	putProgram(t, host, "usr/sbin/mariadbd", "mariadbd  Ver 10.11.14-MariaDB")
	putProgram(t, first, "usr/sbin/mariadbd", "mariadbd  Ver 11.8.6-MariaDB")
	putProgram(t, first, "usr/lib/postgresql/17/bin/postgres", "postgres (PostgreSQL) 17.12")
	putProgram(t, second, "usr/sbin/mariadbd", "mariadbd  Ver 11.8.5-MariaDB")
	putProgram(t, second, "usr/lib/postgresql/18/bin/postgres", "postgres (PostgreSQL) 18.1")
	places := []place{{prefix: host}, {root: first, guestAgent: self}, {root: second, guestAgent: self}}

	o := &offers{places: places}
	found, err := o.look(t.Context())
	require.ErrorContains(t, err, "mariadb 11.8.5 in "+second+" is left out, beside mariadb 11.8.6 in "+first)
	assert.Equal(t, []offer{
		{"mariadb", "10.11.14", places[0]},
		{"mariadb", "11.8.6", places[1]},
		{"postgresql", "17.12", places[1]},
		{"postgresql", "18.1", places[2]},
	}, found)
	at, known := o.place("postgresql", "18.1")
	assert.True(t, known)
	assert.Equal(t, places[2], at)
	_, known = o.place("mariadb", "11.8.5")
	assert.False(t, known)

	_, err = (&offers{places: []place{{root: empty, guestAgent: self}}}).look(t.Context())
	require.ErrorContains(t, err, "no database server in "+empty)
}
