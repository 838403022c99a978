#include "gateway/http/forwarded_fields.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/http/message.h"
#include "services/core/ip_network.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::IpAddress;
using entrepot::IpNetwork;
using entrepot::gateway::http::ForwardedClient;
using entrepot::gateway::http::ReadForwarded;
using entrepot::gateway::http::ReadXForwarded;
using entrepot::gateway::http::Request;

namespace {

bool IsTrusted(const IpAddress& address) {
  static const IpNetwork trusted = IpNetwork::Parse("10.0.0.0/8").value();
  return trusted.Contains(address);
}

// Each line is a field of each name. The request refers to `lines`.
Request RequestWith(absl::string_view lines) {
  Request request;
  for (const absl::string_view line : absl::StrSplit(lines, '\n')) {
    for (const char* name : {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"}) {
      request.fields.push_back({name, absl::StripAsciiWhitespace(line)});
    }
  }
  return request;
}

// What is reported may stand in logs, keys and URLs as it is.
void CheckClient(const ForwardedClient& client) {
  if (!client.address.empty()) FUZZ_CHECK(IpAddress::Parse(client.address).value().ToString() == client.address);
  for (const char c : client.host) FUZZ_CHECK(absl::ascii_isalnum(c) || absl::StrContains("-._:[]", c));
}

}  // namespace

FUZZ_TARGET(input) {
  const Request request = RequestWith(input);
  CheckClient(ReadXForwarded(request, IsTrusted));
  CheckClient(ReadForwarded(request, IsTrusted));
  (void)entrepot::gateway::http::MayHideTls(request);

  // Whatever a client sends, the address that the proxy appends is the client's.
  const std::string appended = absl::StrCat(input, ", 203.0.113.9");
  FUZZ_CHECK(ReadXForwarded(RequestWith(appended), IsTrusted).address == "203.0.113.9");
  for (const char* entry : {"for=203.0.113.9", "for=\"203.0.113.9:4711\";proto=https;host=\"r.example\""}) {
    const std::string lines = absl::StrCat(input, ", ", entry);
    FUZZ_CHECK(ReadForwarded(RequestWith(lines), IsTrusted).address == "203.0.113.9");
  }
}
