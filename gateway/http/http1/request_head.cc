#include "gateway/http/http1/request_head.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/http/http1/grammar.h"

namespace entrepot::gateway::http {
namespace {

// No known method is nearly this long.
constexpr size_t kMethodBytesMax = 32;
constexpr size_t kFieldsMax = 256;
constexpr absl::string_view kAuthorizationPrefix = "authorization:";

}  // namespace

void RequestHead::Reset() {
  scanned_ = 0;
  line_start_ = 0;
  uncounted_ = 0;
  has_request_line_ = false;
  skipped_empty_line_ = false;
  complete_ = false;
  method_ = path_ = query_ = authority_ = Slice();
  fields_.clear();
  minor_version_ = 1;
  hosts_ = authorizations_ = content_lengths_ = transfer_encodings_ = 0;
  content_length_ = 0;
  wants_close_ = expects_continue_ = false;
  refused_status_ = 0;
}

RequestHead::Outcome RequestHead::Parse(absl::string_view data) {
  while (scanned_ < data.size()) {
    scanned_ = FindControl(data, scanned_);
    if (scanned_ == data.size()) break;
    const char c = data[scanned_];
    if (c != '\r') {
      Refuse(400, c == '\n' ? "a line of the header ends in a bare LF" : "the header contains a control byte");
      return Outcome::kRefused;
    }
    if (scanned_ + 1 == data.size()) break;
    if (data[scanned_ + 1] != '\n') {
      Refuse(400, "the header contains a bare CR");
      return Outcome::kRefused;
    }
    const size_t end = scanned_;
    scanned_ += 2;
    if (!ParseLine(data, end)) return Outcome::kRefused;
    if (TooLong(scanned_, uncounted_)) {
      RefuseTooLong();
      return Outcome::kRefused;
    }
    line_start_ = scanned_;
    if (complete_) return Outcome::kComplete;
  }
  return CheckUnfinishedLine(data) ? Outcome::kIncomplete : Outcome::kRefused;
}

void RequestHead::Fill(absl::string_view data, Request* request) const {
  request->method = method_.In(data);
  request->path = path_.size == 0 ? absl::string_view("/") : path_.In(data);
  request->query = query_.In(data);
  request->fields.clear();
  for (const FieldSlices& field : fields_) request->fields.push_back({field.name.In(data), field.value.In(data)});
  if (authority_.size != 0 && hosts_ > 0) request->fields[host_field_].value = authority_.In(data);
}

bool RequestHead::ParseLine(absl::string_view data, size_t end) {
  if (!has_request_line_) {
    if (end == line_start_ && !skipped_empty_line_) {  // RFC 9112 section 2.2: some old clients end a body with one.
      skipped_empty_line_ = true;
      return true;
    }
    has_request_line_ = true;
    return ParseRequestLine(data, line_start_, end);
  }
  if (end == line_start_) {
    complete_ = true;
    return CheckComplete();
  }
  return ParseField(data, line_start_, end);
}

bool RequestHead::ParseRequestLine(absl::string_view data, size_t begin, size_t end) {
  const absl::string_view line = data.substr(begin, end - begin);
  const size_t first = line.find(' ');
  const size_t second = first == absl::string_view::npos ? first : line.find(' ', first + 1);
  if (second == absl::string_view::npos || line.find(' ', second + 1) != absl::string_view::npos) {
    return Refuse(400, "the request line is not a method, a target and a version separated by single spaces");
  }
  const absl::string_view method = line.substr(0, first);
  if (!IsToken(method)) return Refuse(400, "the method is not a token");
  if (method.size() > kMethodBytesMax) return Refuse(501, "unknown method");
  method_ = {static_cast<uint32_t>(begin), static_cast<uint32_t>(first)};
  const absl::string_view target = line.substr(first + 1, second - first - 1);
  if (target.size() > TargetBytesMax(target)) return RefuseLongTarget(target);
  uncounted_ = UncountedQuery(target);
  return ParseVersion(line.substr(second + 1)) && ParseTarget(data, begin + first + 1, begin + second);
}

bool RequestHead::ParseVersion(absl::string_view version) {
  if (version.size() != 8 || !absl::StartsWith(version, "HTTP/") || !absl::ascii_isdigit(version[5]) ||
      version[6] != '.' || !absl::ascii_isdigit(version[7])) {
    return Refuse(400, "the request line does not end in a version such as HTTP/1.1");
  }
  if (version[5] != '1') return Refuse(505, "only HTTP/1.1 and HTTP/1.0 are supported");
  minor_version_ = version[7] == '0' ? 0 : 1;
  return true;
}

bool RequestHead::ParseTarget(absl::string_view data, size_t begin, size_t end) {
  const absl::string_view target = data.substr(begin, end - begin);
  if (target.empty()) return Refuse(400, "the request target is empty");
  const absl::string_view method = method_.In(data);
  if (target == "*") {
    return method == "OPTIONS" ? Refuse(405, "OPTIONS is not supported")
                               : Refuse(400, "the request target \"*\" is valid for OPTIONS only");
  }
  if (method == "CONNECT" && IsAuthority(target)) return Refuse(405, "CONNECT is not supported");
  if (target.front() == '/') return ParseOriginForm(data, begin, end);
  if (absl::StartsWithIgnoreCase(target, "http://") || absl::StartsWithIgnoreCase(target, "https://")) {
    return ParseAbsoluteForm(data, begin, end);
  }
  return Refuse(400, "the request target is neither a path nor an http URI");
}

bool RequestHead::ParseOriginForm(absl::string_view data, size_t begin, size_t end) {
  const absl::string_view target = data.substr(begin, end - begin);
  if (!IsTargetText(target)) return Refuse(400, "the request target contains a byte that must be percent-encoded");
  const size_t mark = std::min(target.find('?'), target.size());
  path_ = {static_cast<uint32_t>(begin), static_cast<uint32_t>(mark)};
  if (mark < target.size()) {
    query_ = {static_cast<uint32_t>(begin + mark + 1), static_cast<uint32_t>(target.size() - mark - 1)};
  }
  return true;
}

bool RequestHead::ParseAbsoluteForm(absl::string_view data, size_t begin, size_t end) {
  const size_t authority = data.find("//", begin) + 2;
  const size_t behind = std::min(data.find_first_of("/?#", authority), end);
  if (!IsAuthority(data.substr(authority, behind - authority))) {
    return Refuse(400, "the request target's authority is not a host with an optional port");
  }
  authority_ = {static_cast<uint32_t>(authority), static_cast<uint32_t>(behind - authority)};
  return ParseOriginForm(data, behind, end);
}

bool RequestHead::ParseField(absl::string_view data, size_t begin, size_t end) {
  const absl::string_view line = data.substr(begin, end - begin);
  if (IsBlank(line.front())) return Refuse(400, "a header line begins with a blank (folding is obsolete)");
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos) return Refuse(400, "a header line has no colon");
  const absl::string_view name = line.substr(0, colon);
  if (!IsToken(name)) return Refuse(400, "a header field's name is not a token followed by a colon");
  if (fields_.size() == kFieldsMax) {
    return Refuse(431, absl::StrCat("the header has more than ", kFieldsMax, " fields (a fixed limit)"));
  }
  const absl::string_view value = TrimBlanks(line.substr(colon + 1));
  // Without a value, TrimBlanks() may return a view beyond the line.
  const size_t value_offset = value.empty() ? end : static_cast<size_t>(value.data() - data.data());
  fields_.push_back({{static_cast<uint32_t>(begin), static_cast<uint32_t>(name.size())},
                     {static_cast<uint32_t>(value_offset), static_cast<uint32_t>(value.size())}});
  return ParseKnownField(name, value);
}

bool RequestHead::ParseKnownField(absl::string_view name, absl::string_view value) {
  switch (name.size()) {
    case 4:
      return !absl::EqualsIgnoreCase(name, "host") || ParseHost(value);
    case 6:
      return !absl::EqualsIgnoreCase(name, "expect") || ParseExpect(value);
    case 10:
      if (absl::EqualsIgnoreCase(name, "connection")) ParseConnection(value);
      return true;
    case 13:
      if (absl::EqualsIgnoreCase(name, "authorization") && ++authorizations_ == 1) {
        uncounted_ += std::min(value.size(), limits_.authorization_bytes_max);
      }
      return true;
    case 14:
      return !absl::EqualsIgnoreCase(name, "content-length") || ParseContentLength(value);
    case 17:
      return !absl::EqualsIgnoreCase(name, "transfer-encoding") || ParseTransferEncoding(value);
    default:
      return true;
  }
}

bool RequestHead::ParseHost(absl::string_view value) {
  if (++hosts_ > 1) return Refuse(400, "more than one Host field");
  host_field_ = fields_.size() - 1;
  return IsAuthority(value) || Refuse(400, "the Host field is not a host with an optional port");
}

bool RequestHead::ParseContentLength(absl::string_view value) {
  if (++content_lengths_ > 1) return Refuse(400, "more than one Content-Length field");
  const bool digits = !value.empty() && std::all_of(value.begin(), value.end(), absl::ascii_isdigit);
  if (!digits || !absl::SimpleAtoi(value, &content_length_) ||
      content_length_ > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return Refuse(400, "Content-Length is not a number of bytes below 2^63");
  }
  return true;
}

bool RequestHead::ParseTransferEncoding(absl::string_view value) {
  if (++transfer_encodings_ > 1) return Refuse(400, "more than one Transfer-Encoding field");
  if (absl::EqualsIgnoreCase(value, "chunked")) return true;
  const std::vector<absl::string_view> codings = absl::StrSplit(value, ',');
  size_t chunked = 0;
  bool known_grammar = true;
  for (const absl::string_view coding : codings) {
    const absl::string_view name = TrimBlanks(coding);
    known_grammar = known_grammar && IsToken(name);
    if (absl::EqualsIgnoreCase(name, "chunked")) ++chunked;
  }
  if (known_grammar && chunked == 1 && absl::EqualsIgnoreCase(TrimBlanks(codings.back()), "chunked")) {
    return Refuse(501, "only the chunked transfer coding is supported");
  }
  return Refuse(400, "Transfer-Encoding is not chunked");
}

bool RequestHead::ParseExpect(absl::string_view value) {
  if (!absl::EqualsIgnoreCase(value, "100-continue"))
    return Refuse(417, "only the expectation 100-continue is supported");
  expects_continue_ = true;
  return true;
}

void RequestHead::ParseConnection(absl::string_view value) {
  for (const absl::string_view option : absl::StrSplit(value, ',')) {
    if (absl::EqualsIgnoreCase(TrimBlanks(option), "close")) wants_close_ = true;
  }
}

bool RequestHead::CheckComplete() {
  if (hosts_ == 0 && minor_version_ > 0) return Refuse(400, "the Host field is missing");
  if (transfer_encodings_ > 0 && content_lengths_ > 0) {
    return Refuse(400, "the header contains both Content-Length and Transfer-Encoding");
  }
  if (transfer_encodings_ > 0 && minor_version_ == 0)
    return Refuse(400, "Transfer-Encoding is not allowed in HTTP/1.0");
  return true;
}

bool RequestHead::HasLongQuery(absl::string_view target) const {
  const absl::string_view path = limits_.long_query_path;
  return !path.empty() && target.size() > path.size() && target[path.size()] == '?' && absl::StartsWith(target, path);
}

size_t RequestHead::TargetBytesMax(absl::string_view target) const {
  if (!HasLongQuery(target)) return limits_.uri_bytes_max;
  return limits_.long_query_path.size() + 1 + limits_.long_query_bytes_max;
}

size_t RequestHead::UncountedQuery(absl::string_view target) const {
  if (!HasLongQuery(target)) return 0;
  return std::min(target.size() - limits_.long_query_path.size() - 1, limits_.long_query_bytes_max);
}

size_t RequestHead::UncountedCredential(absl::string_view line) const {
  if (authorizations_ > 0 || !absl::StartsWithIgnoreCase(line, kAuthorizationPrefix)) return 0;
  return std::min(line.size() - kAuthorizationPrefix.size(), limits_.authorization_bytes_max);
}

bool RequestHead::CheckUnfinishedLine(absl::string_view data) {
  const absl::string_view line = data.substr(line_start_, scanned_ - line_start_);
  size_t uncounted = uncounted_;
  if (has_request_line_) {
    uncounted += UncountedCredential(line);
  } else {
    const size_t space = std::min(line.find(' '), line.size());
    if (space > kMethodBytesMax) return Refuse(501, "unknown method");
    if (space == line.size()) return true;
    absl::string_view target = line.substr(space + 1);
    target = target.substr(0, target.find(' '));
    if (target.size() > TargetBytesMax(target)) return RefuseLongTarget(target);
    uncounted += UncountedQuery(target);
  }
  return TooLong(data.size() + 1, uncounted) ? RefuseTooLong() : true;
}

bool RequestHead::RefuseLongTarget(absl::string_view target) {
  if (HasLongQuery(target)) {
    return Refuse(414, absl::StrCat("the query is longer than ", limits_.long_query_bytes_max,
                                    " bytes (limits.token_query_bytes_max)"));
  }
  return Refuse(
      414, absl::StrCat("the request target is longer than ", limits_.uri_bytes_max, " bytes (limits.uri_bytes_max)"));
}

bool RequestHead::RefuseTooLong() {
  return Refuse(431, absl::StrCat("the header is longer than ", limits_.header_bytes_max,
                                  " bytes (limits.header_bytes_max), without a credential of up to ",
                                  limits_.authorization_bytes_max, " bytes (limits.authorization_bytes_max)"));
}

bool RequestHead::Refuse(int status, absl::string_view message) {
  refused_status_ = status;
  refused_message_.assign(message.data(), message.size());
  return false;
}

}  // namespace entrepot::gateway::http
