#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gateway/http/http1/request_head.h"
#include "gateway/http/message.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::gateway::http::Request;
using entrepot::gateway::http::RequestHead;
using Outcome = RequestHead::Outcome;

namespace {

constexpr RequestHead::Limits kLimits = {.header_bytes_max = 1024,
                                         .uri_bytes_max = 256,
                                         .authorization_bytes_max = 300,
                                         .long_query_path = "/token",
                                         .long_query_bytes_max = 400};
constexpr size_t kHeadBytesMax =
    kLimits.header_bytes_max + kLimits.authorization_bytes_max + kLimits.long_query_bytes_max;

// Parses with `step` more bytes at a time, each time at another address.
Outcome ParseInSteps(absl::string_view data, size_t step, RequestHead* head) {
  for (size_t size = std::min(step, data.size()); size < data.size(); size += step) {
    const std::string so_far(data.substr(0, size));
    if (const Outcome outcome = head->Parse(so_far); outcome != Outcome::kIncomplete) return outcome;
  }
  return head->Parse(data);
}

void CheckText(absl::string_view text) {
  for (const char c : text) FUZZ_CHECK(c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
}

// An accepted head contains nothing that a proxy could parse in another way.
void CheckOneMeaning(absl::string_view head, const Request& request) {
  for (size_t i = 0; i < head.size(); ++i) {
    FUZZ_CHECK(head[i] != '\n' || (i > 0 && head[i - 1] == '\r'));
    FUZZ_CHECK(head[i] != '\r' || (i + 1 < head.size() && head[i + 1] == '\n'));
  }
  size_t hosts = 0;
  size_t lengths = 0;
  size_t encodings = 0;
  for (const Request::Field& field : request.fields) {
    hosts += absl::EqualsIgnoreCase(field.name, "Host");
    lengths += absl::EqualsIgnoreCase(field.name, "Content-Length");
    encodings += absl::EqualsIgnoreCase(field.name, "Transfer-Encoding");
    FUZZ_CHECK(!field.name.empty() && field.name.find_first_of(" \t:") == absl::string_view::npos);
    CheckText(field.name);
    CheckText(field.value);
  }
  FUZZ_CHECK(hosts <= 1 && lengths + encodings <= 1);
}

void CheckComplete(const RequestHead& head, absl::string_view data) {
  FUZZ_CHECK(head.size_bytes() <= data.size() && head.size_bytes() <= kHeadBytesMax);
  FUZZ_CHECK(!head.chunked() || head.content_length() == 0);
  Request request;
  head.Fill(data, &request);
  FUZZ_CHECK(!request.method.empty());
  FUZZ_CHECK(absl::StartsWith(request.path, "/"));
  const size_t query_bytes_max = request.path == "/token" ? kLimits.long_query_bytes_max : 0;
  FUZZ_CHECK(request.path.size() + request.query.size() <= kLimits.uri_bytes_max + query_bytes_max);
  FUZZ_CHECK(request.path.find('?') == absl::string_view::npos);
  CheckText(request.path);
  CheckText(request.query);
  CheckOneMeaning(data.substr(0, head.size_bytes()), request);
}

}  // namespace

// The input: one byte with the size of each step, then the bytes.
FUZZ_TARGET(input) {
  if (input.empty()) return;
  const size_t step = 1 + static_cast<unsigned char>(input.front()) % 64;
  const absl::string_view data = input.substr(1);

  RequestHead head(kLimits);
  const Outcome outcome = head.Parse(data);
  RequestHead stepwise(kLimits);
  FUZZ_CHECK(ParseInSteps(data, step, &stepwise) == outcome);

  if (outcome == Outcome::kRefused) {
    FUZZ_CHECK(head.refused_status() >= 400 && head.refused_status() <= 599);
    FUZZ_CHECK(!head.refused_message().empty() && head.refused_message().size() < 1000);
    CheckText(head.refused_message());
  }
  if (outcome == Outcome::kComplete) {
    CheckComplete(head, data);
    FUZZ_CHECK(stepwise.size_bytes() == head.size_bytes());
    FUZZ_CHECK(stepwise.content_length() == head.content_length() && stepwise.chunked() == head.chunked());
    FUZZ_CHECK(stepwise.keep_alive() == head.keep_alive());
  }
  // The next request on the connection is parsed like the first.
  head.Reset();
  FUZZ_CHECK(head.Parse(data) == outcome);
}
