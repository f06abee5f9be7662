package newinstance

import (
	"cmp"
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// Absent says whether a value was left out or is null.
func Absent(value *structpb.Value) bool {
	switch value.GetKind().(type) {
	case nil, *structpb.Value_NullValue:
		return true
	}
	return false
}

// Configuration groups, backups and modules cannot be made, so whatever names one names nothing that exists.

func (k *checker) configuration() error {
	if text, isText := k.body.GetConfiguration().GetKind().(*structpb.Value_StringValue); isText && text.StringValue == "" {
		return nil
	}
	return Configuration(k.body.GetConfiguration())
}

// Configuration refuses what a body says of a configuration group, unless it says that there is none.
func Configuration(value *structpb.Value) error {
	if Absent(value) {
		return nil
	}
	text, isText := value.GetKind().(*structpb.Value_StringValue)
	if !isText {
		return invalid("instance['configuration']", "is not a string")
	}
	if text.StringValue == "" {
		return invalid("instance['configuration']", "'' is neither the id nor the URL of a configuration group")
	}
	return errs.New(errs.NotFound, "CONFIGURATION_NOT_FOUND",
		"Configuration group id: %s could not be found.", lastSegment(text.StringValue))
}

func (k *checker) restorePoint() error {
	const path = "instance['restorePoint']"
	value := k.body.GetRestorePoint()
	if Absent(value) {
		return nil
	}
	object, isObject := value.GetKind().(*structpb.Value_StructValue)
	if !isObject {
		return invalid(path, "is not of type 'object'")
	}
	backup, given := object.StructValue.GetFields()["backupRef"]
	if !given {
		return invalid(path, "'backupRef' is a required property")
	}
	id := lastSegment(backup.GetStringValue())
	if !uuidForm.MatchString(id) {
		return invalid(path+"['backupRef']", "is not the id of a backup")
	}
	return notFound(strings.ToLower(id))
}

func (k *checker) modules() error {
	const path = "instance['modules']"
	value := k.body.GetModules()
	if Absent(value) {
		return nil
	}
	modules, isList := value.GetKind().(*structpb.Value_ListValue)
	if !isList {
		return invalid(path, "is not of type 'array'")
	}
	var unknown error
	for _, module := range modules.ListValue.GetValues() {
		id := module.GetStructValue().GetFields()["id"].GetStringValue()
		if !uuidForm.MatchString(id) {
			return invalid(path, "has an element whose 'id' is not the id of a module")
		}
		unknown = cmp.Or(unknown, notFound(strings.ToLower(id)))
	}
	return unknown
}
