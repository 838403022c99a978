#ifndef ENTREPOT_SERVICES_KV_SCAN_RANGE_H_
#define ENTREPOT_SERVICES_KV_SCAN_RANGE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

// The least key that a scan may return. It may lie behind every key of the prefix.
std::string ScanBegin(const ScanOptions& options);

// The least key that is greater than every key with that prefix; empty where there is none (an empty prefix, or 0xff
// bytes only).
std::string PrefixEnd(absl::string_view prefix);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_SCAN_RANGE_H_
