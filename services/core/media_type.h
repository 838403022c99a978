#ifndef ENTREPOT_SERVICES_CORE_MEDIA_TYPE_H_
#define ENTREPOT_SERVICES_CORE_MEDIA_TYPE_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// A media type without parameters (RFC 6838 section 4.2), as in descriptors and manifests. Immutable.
class MediaType {
 public:
  // Drops parameters (`; charset=utf-8`) and surrounding blanks, and keeps upper and lower case. Anything but
  // `type/subtype` of restricted names, each at most 127 bytes, is kInvalidArgument with MANIFEST_INVALID.
  static absl::StatusOr<MediaType> Parse(absl::string_view text);

  const std::string& ToString() const { return text_; }

  friend bool operator==(const MediaType& a, const MediaType& b) { return a.text_ == b.text_; }
  friend bool operator<(const MediaType& a, const MediaType& b) { return a.text_ < b.text_; }

 private:
  explicit MediaType(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_MEDIA_TYPE_H_
