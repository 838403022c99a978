#ifndef ENTREPOT_SERVICES_BLOB_IO_IO_ERROR_H_
#define ENTREPOT_SERVICES_BLOB_IO_IO_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entrepot::blob {

// The meaning of a failed system call's errno for the store.
enum class IoErrorKind {
  // The disk or its quota is full. Writes succeed again once there is space.
  kNoSpace,
  // The process or the system has run out of descriptors or memory. Temporary.
  kNoResources,
  // The disk must not be relied on any more.
  kBroken,
  // Any other error concerns only the one file.
  kOther,
};

IoErrorKind ClassifyIoError(int error);

// kUnavailable (UNAVAILABLE), such as "writing an upload: No space left on device". `action` is the failed action.
absl::Status WriteError(absl::string_view action, int error);
// kDataLoss if the disk does not return the stored bytes. Any other error proves nothing about the stored bytes and
// gives WriteError().
absl::Status ReadError(absl::string_view action, int error);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_IO_IO_ERROR_H_
