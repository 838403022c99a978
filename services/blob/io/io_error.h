#ifndef ENTREPOT_SERVICES_BLOB_IO_IO_ERROR_H_
#define ENTREPOT_SERVICES_BLOB_IO_IO_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entrepot::blob {

// What the errno of a failed system call means to the store.
enum class IoErrorKind {
  // The disk is full, or its quota is used up: writes succeed again once there is space.
  kNoSpace,
  // The process or the system is out of something (descriptors, memory): passes.
  kNoResources,
  // The disk cannot be relied on any more.
  kBroken,
  // Anything else concerns the one file.
  kOther,
};

IoErrorKind ClassifyIoError(int error);

// kUnavailable (UNAVAILABLE): "writing: the disk is full". `action` is what was being done.
absl::Status WriteError(absl::string_view action, int error);
// kDataLoss where the disk does not give what it was given; anything else says nothing of what is stored and is the
// same as above.
absl::Status ReadError(absl::string_view action, int error);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_IO_IO_ERROR_H_
