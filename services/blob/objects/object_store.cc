#include "services/blob/objects/object_store.h"

#include "absl/strings/str_cat.h"

namespace entrepot::blob {

StorageKey ObjectStore::KeyOf(const UploadId& id) { return *StorageKey::Parse(absl::StrCat("f", id.ToString())); }

}  // namespace entrepot::blob
