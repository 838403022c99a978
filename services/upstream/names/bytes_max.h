#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_BYTES_MAX_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_BYTES_MAX_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/upstreams.pb.h"

namespace entrepot::upstream {

// A whole number of bytes, or of one of the units KiB, MiB, GiB and TiB: "200GiB", "200 GiB", "1073741824". From 1 MiB
// to 1024 TiB. kInvalidArgument otherwise; the message has the text.
absl::StatusOr<uint64_t> ParseBytesMax(absl::string_view text);

// The cap of an upstream whose entry has passed CheckUpstreams(); 0: it has none.
uint64_t BytesMaxOf(const config::v1::Upstream& upstream);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_BYTES_MAX_H_
