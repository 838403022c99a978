#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_UNKNOWN_UPLOAD_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_UNKNOWN_UPLOAD_H_

#include "absl/status/status.h"
#include "services/status/oci_error.h"

namespace entrepot::blob {

// The answer of a store that does not have the bytes of an upload, or not as many as its session saved.
inline absl::Status UnknownUpload() {
  return OciError(OciErrorCode::kBlobUploadUnknown, "the upload's bytes no longer exist");
}

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_UNKNOWN_UPLOAD_H_
