#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_PLATFORM_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_PLATFORM_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::upstream {

// "linux/arm64/v8". Fields that are not known are empty.
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;

  std::string ToString() const;
};

// OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, in lower-case letters, digits, dots, hyphens and underscores.
// kInvalidArgument otherwise.
absl::StatusOr<Platform> ParsePlatform(absl::string_view text);

// Whether an image of `platform` is wanted by `wanted`. Without a variant, `wanted` takes every variant; "v8" of arm64
// is what arm64 without a variant is.
bool Matches(const Platform& platform, const Platform& wanted);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_PLATFORM_H_
