package openstack

// ImageTag stands on the images that guests are built from.
const ImageTag = "coffer"

// EngineProperty is the property of such an image that says which exact version it has of an engine, by Trove's name of
// that.
func EngineProperty(manager string) string { return ImagePrefix + manager }

// ImagePrefix stands before the names of all properties that are Coffer's own.
const ImagePrefix = "coffer_"
