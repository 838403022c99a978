#ifndef ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_REQUEST_KIND_H_
#define ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_REQUEST_KIND_H_

#include <array>
#include <cstddef>

#include "absl/strings/string_view.h"

namespace entrepot::upstream {

// What a request asks an upstream for. Limits of upstreams are for kinds of requests.
enum class RequestKind { kHeadManifest, kGetManifest, kHeadBlob, kGetBlob, kTags, kReferrers, kToken };

inline constexpr std::array kRequestKindNames = {
    absl::string_view("manifest_head"), absl::string_view("manifest"), absl::string_view("blob_head"),
    absl::string_view("blob"),          absl::string_view("tags"),     absl::string_view("referrers"),
    absl::string_view("token"),
};

// The label `kind` of metrics.
constexpr absl::string_view ToString(RequestKind kind) { return kRequestKindNames[static_cast<size_t>(kind)]; }

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_EXCHANGE_REQUEST_KIND_H_
