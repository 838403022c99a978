#ifndef ENTREPOT_SERVICES_STATUS_OCI_ERROR_H_
#define ENTREPOT_SERVICES_STATUS_OCI_ERROR_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// The error codes of the OCI distribution specification ("Error codes") and those that Docker's registry adds.
enum class OciErrorCode {
  kBlobUnknown,
  kBlobUploadInvalid,
  kBlobUploadUnknown,
  kDigestInvalid,
  kManifestBlobUnknown,
  kManifestInvalid,
  kManifestUnknown,
  kNameInvalid,
  kNameUnknown,
  kSizeInvalid,
  kUnauthorized,
  kDenied,
  kUnsupported,
  kTooManyRequests,
  kRangeInvalid,
  kTagInvalid,
  kUnavailable,
  kPaginationNumberInvalid,
  kUnknown,
};

// One row of the table of error codes.
struct OciErrorInfo {
  OciErrorCode code;
  absl::string_view name;        // "BLOB_UNKNOWN"
  int http_status;               // 404
  absl::StatusCode status_code;  // kNotFound
};

const OciErrorInfo& GetOciErrorInfo(OciErrorCode code);
// Finds a code by its name; nullopt if the table does not contain it.
std::optional<OciErrorCode> OciErrorCodeByName(absl::string_view name);

// A status with the code's canonical absl code. It carries the OCI code and an optional detail (plain text) as a
// payload, which survives gRPC (status/grpc_status.h). The message of UNAVAILABLE is for the log; its detail is what
// the client may know.
absl::Status OciError(OciErrorCode code, absl::string_view message, absl::string_view detail = "");

// The OCI code that `status` carries, if any.
std::optional<OciErrorCode> GetOciErrorCode(const absl::Status& status);
std::string GetOciErrorDetail(const absl::Status& status);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_STATUS_OCI_ERROR_H_
