#ifndef ENTREPOT_SERVICES_CORE_UPLOAD_ID_H_
#define ENTREPOT_SERVICES_CORE_UPLOAD_ID_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// The id of an upload session: 128 random bits as 32 lower-case hex digits, so that it cannot be guessed. Immutable.
class UploadId {
 public:
  // A new random id. Thread-safe.
  static UploadId Random();

  // kNotFound with the OCI code BLOB_UPLOAD_UNKNOWN if the text has another form: no such session exists.
  static absl::StatusOr<UploadId> Parse(absl::string_view text);

  const std::string& ToString() const { return text_; }

  friend bool operator==(const UploadId& a, const UploadId& b) { return a.text_ == b.text_; }
  friend bool operator<(const UploadId& a, const UploadId& b) { return a.text_ < b.text_; }

 private:
  explicit UploadId(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_UPLOAD_ID_H_
