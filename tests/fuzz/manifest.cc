#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "services/core/media_type.h"
#include "services/manifest/format/manifest_parser.h"
#include "services/manifest/format/manifest_validator.h"
#include "services/manifest/format/type_text.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::MediaType;
using entrepot::OciErrorCode;
using entrepot::manifest::ManifestNeed;
using entrepot::manifest::ParsedManifest;
using entrepot::manifest::ParseManifest;
using entrepot::manifest::ValidateManifest;
using entrepot::manifest::ValidManifest;

namespace {

constexpr std::array<absl::string_view, 6> kContentTypes = {
    "",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "text/plain",
};

void CheckValid(const ValidManifest& manifest) {
  FUZZ_CHECK(manifest.needs.size() <= entrepot::manifest::kDescriptorsMax);
  const auto not_ascending = [](const ManifestNeed& a, const ManifestNeed& b) { return !(a.digest < b.digest); };
  FUZZ_CHECK(std::adjacent_find(manifest.needs.begin(), manifest.needs.end(), not_ascending) == manifest.needs.end());
  for (const ManifestNeed& need : manifest.needs) {
    FUZZ_CHECK(need.size_bytes <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
    FUZZ_CHECK(!need.field.empty());
  }
}

bool IsPrintable(char c) { return c >= ' ' && c <= '~'; }

void CheckTypes(const ParsedManifest& parsed, const ValidManifest& manifest) {
  // The artifact type goes into lists and, as a filter, into header fields.
  FUZZ_CHECK(manifest.artifact_type.size() <= entrepot::manifest::kTypeBytesMax);
  FUZZ_CHECK(std::all_of(manifest.artifact_type.begin(), manifest.artifact_type.end(), IsPrintable));
  FUZZ_CHECK(!parsed.artifact_type.has_value() || manifest.artifact_type == *parsed.artifact_type);
  FUZZ_CHECK(!parsed.media_type.has_value() || manifest.media_type.ToString() == *parsed.media_type);
  const auto stored = entrepot::manifest::ValidateStoredManifest(manifest.media_type, parsed);
  FUZZ_CHECK(stored.ok() && stored->needs.size() == manifest.needs.size());
}

void CheckJson(absl::string_view content) {
  // Only white space may precede or follow the manifest.
  FUZZ_CHECK(ParseManifest(" \r\n\t" + std::string(content) + " \r\n\t").ok());
  FUZZ_CHECK(!ParseManifest(std::string(content) + "x").ok());
  FUZZ_CHECK(!ParseManifest(std::string(content) + std::string(content)).ok());
  FUZZ_CHECK(!ParseManifest("\xef\xbb\xbf" + std::string(content)).ok());
}

}  // namespace

// The input: one byte that chooses the Content-Type, then the content.
FUZZ_TARGET(input) {
  if (input.empty()) return;
  const absl::string_view type_text = kContentTypes[static_cast<unsigned char>(input.front()) % kContentTypes.size()];
  const absl::string_view content = input.substr(1);
  std::optional<MediaType> content_type;
  if (!type_text.empty()) content_type = MediaType::Parse(type_text).value();

  const absl::StatusOr<ParsedManifest> parsed = ParseManifest(content);
  if (!parsed.ok()) {
    entrepot::fuzz::CheckOciError(parsed.status(), OciErrorCode::kManifestInvalid);
    return;
  }
  CheckJson(content);
  const absl::StatusOr<ValidManifest> valid = ValidateManifest(content_type, *parsed);
  if (!valid.ok()) {
    entrepot::fuzz::CheckOciError(valid.status(), OciErrorCode::kManifestInvalid);
    return;
  }
  CheckValid(*valid);
  FUZZ_CHECK(!content_type.has_value() || valid->media_type == *content_type);
  CheckTypes(*parsed, *valid);
}
