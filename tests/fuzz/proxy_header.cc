#include "gateway/http/server/proxy_header.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "services/core/ip_network.h"
#include "tests/fuzz/error_properties.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::IpAddress;
using entrepot::gateway::http::ProxyHeader;

namespace {

struct Parsed {
  absl::StatusOr<bool> complete = false;
  size_t taken = 0;
  std::string address;
  bool is_tls = false;
};

Parsed Parse(absl::string_view data, size_t step) {
  ProxyHeader header;
  Parsed parsed;
  while (header.wanted_bytes() > 0 && parsed.taken < data.size()) {
    FUZZ_CHECK(parsed.taken + header.wanted_bytes() <= ProxyHeader::kBytesMax);
    const absl::string_view piece = data.substr(parsed.taken, std::min(step, header.wanted_bytes()));
    parsed.taken += piece.size();
    parsed.complete = header.Add(piece);
    if (!parsed.complete.ok()) return parsed;
    FUZZ_CHECK(*parsed.complete == (header.wanted_bytes() == 0));
  }
  parsed.address = header.address();
  parsed.is_tls = header.is_tls();
  return parsed;
}

}  // namespace

// The input: one byte with the size of each step, then the bytes.
FUZZ_TARGET(input) {
  if (input.empty()) return;
  const size_t step = 1 + static_cast<unsigned char>(input.front()) % 64;
  const absl::string_view data = input.substr(1);
  const Parsed parsed = Parse(data, ProxyHeader::kBytesMax);
  if (!parsed.complete.ok()) entrepot::fuzz::CheckMessage(parsed.complete.status());
  const Parsed stepwise = Parse(data, step);
  FUZZ_CHECK(stepwise.complete.status().code() == parsed.complete.status().code());
  if (!parsed.complete.ok() || !*parsed.complete) return;
  FUZZ_CHECK(*stepwise.complete && stepwise.taken == parsed.taken);
  FUZZ_CHECK(stepwise.address == parsed.address && stepwise.is_tls == parsed.is_tls);
  if (!parsed.address.empty()) FUZZ_CHECK(IpAddress::Parse(parsed.address).value().ToString() == parsed.address);
  // Bytes behind the header do not matter.
  FUZZ_CHECK(Parse(data.substr(0, parsed.taken), step).address == parsed.address);
}
