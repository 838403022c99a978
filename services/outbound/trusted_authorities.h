#ifndef ENTREPOT_SERVICES_OUTBOUND_TRUSTED_AUTHORITIES_H_
#define ENTREPOT_SERVICES_OUTBOUND_TRUSTED_AUTHORITIES_H_

#include <string>

#include "absl/status/statusor.h"

namespace entrepot::outbound {

// The authorities that libcurl trusts by itself, and those of `ca_file`, as PEM; because the options of libcurl that
// add a file replace the others. Without a bundle of the system it is the file alone. Errors are those of
// ReadFileContents() for `ca_file`.
absl::StatusOr<std::string> TrustedAuthoritiesWith(const std::string& ca_file);

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_TRUSTED_AUTHORITIES_H_
