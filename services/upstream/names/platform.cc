#include "services/upstream/names/platform.h"

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/status/quoted_input.h"

namespace entrepot::upstream {
namespace {

bool IsPlatformPart(absl::string_view part) {
  return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) || absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
           c == '.' || c == '-' || c == '_';
  });
}

std::string WithoutDefault(const Platform& platform) {
  return platform.architecture == "arm64" && platform.variant == "v8" ? "" : platform.variant;
}

}  // namespace

std::string Platform::ToString() const {
  return absl::StrCat(os, "/", architecture, variant.empty() ? "" : "/", variant);
}

absl::StatusOr<Platform> ParsePlatform(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  if (parts.size() < 2 || parts.size() > 3 || !std::all_of(parts.begin(), parts.end(), IsPlatformPart)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the platform ", QuotedInput(text), " must be like linux/amd64 or linux/arm/v7"));
  }
  return Platform{.os = parts[0], .architecture = parts[1], .variant = parts.size() == 3 ? parts[2] : ""};
}

bool Matches(const Platform& platform, const Platform& wanted) {
  if (platform.os != wanted.os || platform.architecture != wanted.architecture) return false;
  return wanted.variant.empty() || WithoutDefault(platform) == WithoutDefault(wanted);
}

}  // namespace entrepot::upstream
