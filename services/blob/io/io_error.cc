#include "services/blob/io/io_error.h"

#include <cerrno>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "services/status/oci_error.h"

namespace entrepot::blob {
namespace {

std::string Describe(absl::string_view action, int error) {
  return absl::StrCat(action, ": ", std::generic_category().message(error));
}

}  // namespace

IoErrorKind ClassifyIoError(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return IoErrorKind::kNoSpace;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return IoErrorKind::kNoResources;
    case EIO:
    case EROFS:
    case ENODEV:
    case ENXIO:
    case EUCLEAN:
    case EBADMSG:
      return IoErrorKind::kBroken;
    default:
      return IoErrorKind::kOther;
  }
}

absl::Status WriteError(absl::string_view action, int error) {
  return OciError(OciErrorCode::kUnavailable, Describe(action, error));
}

absl::Status ReadError(absl::string_view action, int error) {
  if (ClassifyIoError(error) != IoErrorKind::kBroken) return WriteError(action, error);
  return absl::DataLossError(Describe(action, error));
}

}  // namespace entrepot::blob
