#ifndef ENTREPOT_SERVICES_CORE_MEDIA_TYPE_H_
#define ENTREPOT_SERVICES_CORE_MEDIA_TYPE_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// A media type without parameters (RFC 6838 section 4.2). Upper and lower case differ. Immutable.
class MediaType {
 public:
  // Anything but exactly `type/subtype` of restricted names, each at most 127 bytes, is kInvalidArgument with
  // MANIFEST_INVALID.
  static absl::StatusOr<MediaType> Parse(absl::string_view text);
  // The same for the value of a header field: drops parameters (`; charset=utf-8`) and surrounding spaces and tabs.
  static absl::StatusOr<MediaType> ParseHeader(absl::string_view value);

  const std::string& ToString() const { return text_; }

  friend bool operator==(const MediaType& a, const MediaType& b) { return a.text_ == b.text_; }
  friend bool operator<(const MediaType& a, const MediaType& b) { return a.text_ < b.text_; }

 private:
  explicit MediaType(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_MEDIA_TYPE_H_
