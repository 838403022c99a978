#include "services/manifest/format/referrer_tag.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace entrepot::manifest {
namespace {

constexpr absl::string_view kAlgorithm = "sha256";
constexpr size_t kHexDigits = 64;
constexpr absl::string_view kSuffixes[] = {"", ".sig", ".att", ".sbom"};

}  // namespace

std::optional<Digest> SubjectOfTag(const Tag& tag) {
  const absl::string_view text = tag.ToString();
  const size_t prefix = kAlgorithm.size() + 1;
  if (text.size() < prefix + kHexDigits || text.substr(0, kAlgorithm.size()) != kAlgorithm || text[prefix - 1] != '-') {
    return std::nullopt;
  }
  const absl::string_view suffix = text.substr(prefix + kHexDigits);
  if (std::find(std::begin(kSuffixes), std::end(kSuffixes), suffix) == std::end(kSuffixes)) return std::nullopt;
  absl::StatusOr<Digest> digest = Digest::Parse(absl::StrCat(kAlgorithm, ":", text.substr(prefix, kHexDigits)));
  if (!digest.ok()) return std::nullopt;
  return *std::move(digest);
}

}  // namespace entrepot::manifest
