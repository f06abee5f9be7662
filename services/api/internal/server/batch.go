package server

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	dmsv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/dms/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/newinstance"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const (
	// maxBatch is how many instances one batch may name.
	maxBatch = 50
	// failuresPage is how many instances whose creation failed are looked at together.
	failuresPage = 100
	// batchDetailsKey is the metadata of a caller that wants to know more of each result than DMS tells.
	batchDetailsKey = "coffer-batch-details"
)

const (
	batchRestart = "restart"
	batchDelete  = "delete"
)

// BatchRestartOrDeleteInstances restarts or deletes many instances: "success" means accepted. What is wrong with the
// call as a whole refuses all; what is wrong with one instance leaves the others alone.
func (s *Server) BatchRestartOrDeleteInstances(
	ctx context.Context, request *dmsv1.BatchRestartOrDeleteInstancesRequest,
) (*dmsv1.BatchRestartOrDeleteInstancesResponse, error) {
	doing := request.GetAction().GetStringValue()
	if doing != batchRestart && doing != batchDelete {
		return nil, errs.New(errs.Invalid, "BATCH_ACTION_UNKNOWN", `The action must be "restart" or "delete".`)
	}
	caller, err := s.authorise(ctx, "instance:"+doing)
	if err != nil {
		return nil, err
	}
	if !newinstance.Absent(request.GetAllFailure()) {
		return &dmsv1.BatchRestartOrDeleteInstancesResponse{}, s.deleteFailures(ctx, caller, doing, request)
	}
	ids, err := batchIDs(request.GetInstances())
	if err != nil {
		return nil, err
	}
	key, err := s.idempotency(ctx, "batch_"+doing, request)
	if err != nil {
		return nil, err
	}
	outcomes, err := s.batchChange(ctx, doing, key, ids)
	if err != nil {
		return nil, err
	}
	asked := metadata.ValueFromIncomingContext(ctx, batchDetailsKey)
	detailed := slices.Contains(asked, "true")
	response := &dmsv1.BatchRestartOrDeleteInstancesResponse{}
	for i, id := range ids {
		response.Results = append(response.Results, resultOf(id, outcomes[i], detailed))
	}
	return response, nil
}

func resultOf(id string, outcome store.Outcome, detailed bool) *dmsv1.Result {
	result := &dmsv1.Result{Result: "success", Instance: id}
	if outcome.Err != nil {
		result.Result = "failed"
	}
	switch {
	case !detailed:
	case outcome.Err != nil:
		sentence := errs.From(named(id, outcome.Err)).Sentence
		result.Reason = &sentence
	default:
		result.JobId = &outcome.Task.ID
	}
	return result
}

// batchIDs checks the ids of a batch.
func batchIDs(value *structpb.Value) ([]string, error) {
	if newinstance.Absent(value) {
		return nil, errs.New(errs.Invalid, "BATCH_EMPTY", "instances must name at least one instance.")
	}
	list, isList := value.GetKind().(*structpb.Value_ListValue)
	if !isList {
		return nil, errs.New(errs.Invalid, "BATCH_PARAMETER_INVALID", "instances must be a list of ids.")
	}
	switch n := len(list.ListValue.GetValues()); {
	case n == 0:
		return nil, errs.New(errs.Invalid, "BATCH_EMPTY", "instances must name at least one instance.")
	case n > maxBatch:
		return nil, errs.New(errs.Invalid, "BATCH_TOO_LARGE", "instances must name at most %d instances, not %d.", maxBatch, n)
	}
	var ids []string
	for _, element := range list.ListValue.GetValues() {
		id := strings.ToLower(element.GetStringValue())
		if validID(id) != nil {
			return nil, errs.New(errs.Invalid, "BATCH_ID_INVALID", "instances has an element that is not the id of an instance.")
		}
		if slices.Contains(ids, id) {
			return nil, errs.New(errs.Invalid, "BATCH_ID_REPEATED", "instances names %s more than once.", id)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// batchChange has the same done to each instance; the outcomes are in the order of the ids. Replicas come before all
// others, so that a source whose replicas all go can go too.
func (s *Server) batchChange(
	ctx context.Context, doing string, key *store.Idempotency, ids []string,
) ([]store.Outcome, error) {
	order, err := s.replicasFirst(ctx, doing, ids)
	if err != nil {
		return nil, err
	}
	list := make([]store.Acceptance, 0, len(ids))
	for _, at := range order {
		command := &commandv1.Command{Action: &commandv1.Command_RestartInstance{RestartInstance: &commandv1.RestartInstance{}}}
		if doing == batchDelete {
			command.Action = &commandv1.Command_DeleteInstance{DeleteInstance: &commandv1.DeleteInstance{}}
		}
		acceptance, err := s.acceptance(ctx, &change{instanceID: ids[at], command: command})
		if err != nil {
			return nil, err
		}
		list = append(list, acceptance)
	}
	batch := s.batch(ctx, key, list)
	accepted, err := s.Store.AcceptEach(ctx, batch)
	if err != nil {
		return nil, err
	}
	outcomes := make([]store.Outcome, len(ids))
	for i, at := range order {
		outcomes[at] = accepted[i]
		s.count(accepted[i].Accepted, batch.DryRun, accepted[i].Err)
	}
	return outcomes, nil
}

// replicasFirst are the positions of the ids in the order in which they have to be deleted.
func (s *Server) replicasFirst(ctx context.Context, doing string, ids []string) ([]int, error) {
	var order, sources []int
	with := map[string][]string{}
	if doing == batchDelete {
		var err error
		if with, err = s.Store.Replicas(ctx, ids); err != nil {
			return nil, err
		}
	}
	for at, id := range ids {
		if len(with[id]) > 0 {
			sources = append(sources, at)
		} else {
			order = append(order, at)
		}
	}
	return append(order, sources...), nil
}

// deleteFailures deletes the instances of the caller's project whose creation failed, of one datastore or of all. One
// that was ever active is none of them, whatever became of it since.
func (s *Server) deleteFailures(
	ctx context.Context, caller identity.Caller, doing string, request *dmsv1.BatchRestartOrDeleteInstancesRequest,
) error {
	if doing != batchDelete {
		return errs.New(errs.Invalid, "BATCH_PARAMETER_INVALID", `allFailure goes with the action "delete" alone.`)
	}
	offered, err := s.Catalog.Get(ctx)
	if err != nil {
		return err
	}
	engine := request.GetAllFailure().GetStringValue()
	all := engine == "true" || request.GetAllFailure().GetBoolValue()
	if !all && !slices.Contains(failureEngines, engine) {
		return errs.New(errs.Invalid, "BATCH_PARAMETER_INVALID",
			`allFailure must be "true" or one of: %s.`, strings.Join(failureEngines, ", "))
	}
	deleted := false
	var failed []string
	for page := (store.Page{Limit: failuresPage}); ; page.Offset += failuresPage {
		found, more, err := s.Store.ListAllInstances(ctx, store.InstanceFilter{
			ProjectID: caller.ProjectID, Deleted: &deleted, NeverActive: true,
		}, page)
		if err != nil {
			return err
		}
		for _, instance := range found {
			version, _ := offered.Version(instance.DatastoreVersionID)
			if instance.TaskStatus.IsError() && (all || version.DatastoreName == engine) {
				failed = append(failed, instance.ID)
			}
		}
		if !more {
			break
		}
	}
	for part := range slices.Chunk(failed, maxBatch) {
		// The same call again finds what is left: it needs no key.
		if _, err := s.batchChange(ctx, doing, nil, part); err != nil {
			return err
		}
	}
	return nil
}

// failureEngines are the words by which allFailure means one engine. kafka is DMS's own, of which there are none here.
var failureEngines = []string{"mariadb", "mysql", "postgresql", "kafka"}
