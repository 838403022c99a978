#include "services/outbound/trusted_authorities.h"

#include <curl/curl.h>

#include "absl/strings/str_cat.h"
#include "services/runtime/files/file_contents.h"
#include "services/status/status_macros.h"

namespace entrepot::outbound {

absl::StatusOr<std::string> TrustedAuthoritiesWith(const std::string& ca_file) {
  ASSIGN_OR_RETURN(const std::string added, runtime::ReadFileContents(ca_file, runtime::kConfiguredFileBytesMax));
  const curl_version_info_data* const version = curl_version_info(CURLVERSION_NOW);
  if (version->cainfo == nullptr) return added;
  const absl::StatusOr<std::string> of_system =
      runtime::ReadFileContents(version->cainfo, runtime::kConfiguredFileBytesMax);
  if (!of_system.ok()) return added;
  return absl::StrCat(*of_system, "\n", added);
}

}  // namespace entrepot::outbound
