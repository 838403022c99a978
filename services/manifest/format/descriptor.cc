#include "services/manifest/format/descriptor.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "services/manifest/format/json_fields.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

constexpr absl::string_view kFields[] = {"mediaType", "digest", "size", "data", "urls"};

absl::StatusOr<Digest> ParseDigestField(const JsonFields& fields) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, fields.String("digest"));
  if (!text.has_value()) return InvalidField(fields.Path("digest"), "is missing");
  absl::StatusOr<Digest> digest = Digest::Parse(*text);
  if (!digest.ok()) {
    return InvalidField(fields.Path("digest"), absl::StrCat("is invalid: ", digest.status().message()));
  }
  return digest;
}

absl::StatusOr<std::optional<std::string>> ParseData(const JsonFields& fields) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, fields.String("data"));
  if (!text.has_value()) return std::nullopt;
  std::string bytes;
  if (!absl::Base64Unescape(*text, &bytes)) return InvalidField(fields.Path("data"), "is not base64");
  return bytes;
}

}  // namespace

absl::StatusOr<Descriptor> ParseDescriptor(absl::string_view field, const boost::json::value& value) {
  ASSIGN_OR_RETURN(const JsonFields fields, JsonFields::Of(field, value));
  RETURN_IF_ERROR(fields.RefuseOtherSpellings(kFields));
  ASSIGN_OR_RETURN(std::optional<std::string> media_type, fields.NonEmptyString("mediaType"));
  if (!media_type.has_value()) return InvalidField(fields.Path("mediaType"), "is missing");
  ASSIGN_OR_RETURN(Digest digest, ParseDigestField(fields));
  ASSIGN_OR_RETURN(const std::optional<uint64_t> size_bytes, fields.Unsigned("size"));
  if (!size_bytes.has_value()) return InvalidField(fields.Path("size"), "is missing");
  ASSIGN_OR_RETURN(std::optional<std::string> data, ParseData(fields));
  ASSIGN_OR_RETURN(const boost::json::array* const urls, fields.Array("urls"));
  return Descriptor{.field = std::string(field),
                    .media_type = *std::move(media_type),
                    .digest = std::move(digest),
                    .size_bytes = *size_bytes,
                    .data = std::move(data),
                    .has_urls = urls != nullptr && !urls->empty()};
}

}  // namespace entrepot::manifest
