#include "gateway/http/forwarded_fields.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "services/core/text/host_and_port.h"

namespace entrepot::gateway::http {
namespace {

constexpr absl::string_view kXForwardedFor = "X-Forwarded-For";
constexpr absl::string_view kXForwardedProto = "X-Forwarded-Proto";
constexpr absl::string_view kXForwardedHost = "X-Forwarded-Host";
constexpr absl::string_view kForwarded = "Forwarded";
// More than any name in DNS, with a port.
constexpr size_t kHostBytesMax = 262;

// The parts of a list from its end. A separator between quotes separates nothing; a quote without its counterpart is an
// ordinary byte, so that what a client sent cannot hide what the proxy appended.
class PartsFromEnd {
 public:
  PartsFromEnd(absl::string_view list, char separator) : rest_(list), separator_(separator) {}

  // Without the blanks around it; may be empty. nullopt after the first part of the list.
  std::optional<absl::string_view> Next() {
    if (done_) return std::nullopt;
    size_t begin = rest_.size();
    while (begin > 0 && rest_[begin - 1] != separator_) {
      --begin;
      if (rest_[begin] != '"' || begin == 0) continue;
      const size_t opening = rest_.rfind('"', begin - 1);
      if (opening != absl::string_view::npos) begin = opening;
    }
    const absl::string_view part = rest_.substr(begin);
    done_ = begin == 0;
    if (!done_) rest_.remove_suffix(rest_.size() - begin + 1);
    return absl::StripAsciiWhitespace(part);
  }

 private:
  absl::string_view rest_;
  const char separator_;
  bool done_ = false;
};

// Calls `visit` with the entries of all fields of that name from the end, until it returns false.
void VisitFromEnd(const Request& request, absl::string_view name, absl::FunctionRef<bool(absl::string_view)> visit) {
  for (auto field = request.fields.rbegin(); field != request.fields.rend(); ++field) {
    if (!absl::EqualsIgnoreCase(field->name, name)) continue;
    PartsFromEnd entries(field->value, ',');
    while (const std::optional<absl::string_view> entry = entries.Next()) {
      if (!visit(*entry)) return;
    }
  }
}

// "" without one.
absl::string_view LastEntry(const Request& request, absl::string_view name) {
  absl::string_view last;
  VisitFromEnd(request, name, [&last](absl::string_view entry) {
    last = entry;
    return false;
  });
  return last;
}

// "", or a colon and a port.
bool IsPortSuffix(absl::string_view text) { return text.empty() || (text.front() == ':' && IsPort(text.substr(1))); }

// "[2001:db8::1]" at the beginning of the text, and the text behind it.
std::optional<IpAddress> TakeBracketed(absl::string_view* text) {
  const size_t close = text->find(']');
  if (text->empty() || text->front() != '[' || close == absl::string_view::npos) return std::nullopt;
  const absl::string_view inside = text->substr(1, close - 1);
  if (!absl::StrContains(inside, ':')) return std::nullopt;
  text->remove_prefix(close + 1);
  return IpAddress::Parse(inside);
}

// An address, in brackets or not, with an optional port: proxies differ in what they write.
std::optional<IpAddress> ParseNode(absl::string_view text) {
  if (const std::optional<IpAddress> bracketed = TakeBracketed(&text)) {
    return IsPortSuffix(text) ? bracketed : std::nullopt;
  }
  if (const std::optional<IpAddress> address = IpAddress::Parse(text)) return address;
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos || !IsPort(text.substr(colon + 1))) return std::nullopt;
  return IpAddress::Parse(text.substr(0, colon));
}

// The text if it is a host with an optional port, which may stand in a URL as it is; otherwise "".
absl::string_view HostOrNothing(absl::string_view text) {
  if (text.size() > kHostBytesMax) return "";
  absl::string_view behind = text;
  if (TakeBracketed(&behind).has_value()) return IsPortSuffix(behind) ? text : "";
  const absl::string_view host = text.substr(0, text.find(':'));
  const bool good = !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
  });
  return good && IsPortSuffix(text.substr(host.size())) ? text : "";
}

std::optional<bool> ParseScheme(absl::string_view text) {
  if (absl::EqualsIgnoreCase(text, "https")) return true;
  if (absl::EqualsIgnoreCase(text, "http")) return false;
  return std::nullopt;
}

// An entry of the field Forwarded; "" for what it does not contain.
struct Entry {
  absl::string_view node;
  absl::string_view proto;
  absl::string_view host;
};

// A token or a quoted string. Nothing that we use contains a backslash.
std::optional<absl::string_view> Unquote(absl::string_view value) {
  if (!value.empty() && value.front() == '"') {
    if (value.size() < 2 || value.back() != '"') return std::nullopt;
    value = value.substr(1, value.size() - 2);
  }
  if (value.empty() || value.find_first_of("\"\\") != absl::string_view::npos) return std::nullopt;
  return value;
}

std::optional<Entry> ParseEntry(absl::string_view text) {
  Entry entry;
  PartsFromEnd pairs(text, ';');
  while (const std::optional<absl::string_view> pair = pairs.Next()) {
    if (pair->empty()) continue;
    const size_t equals = pair->find('=');
    if (equals == absl::string_view::npos) return std::nullopt;
    const absl::string_view name = pair->substr(0, equals);
    absl::string_view* const part = absl::EqualsIgnoreCase(name, "for")     ? &entry.node
                                    : absl::EqualsIgnoreCase(name, "proto") ? &entry.proto
                                    : absl::EqualsIgnoreCase(name, "host")  ? &entry.host
                                                                            : nullptr;
    if (part == nullptr) continue;
    const std::optional<absl::string_view> value = Unquote(pair->substr(equals + 1));
    if (!value.has_value() || !part->empty()) return std::nullopt;
    *part = *value;
  }
  return entry;
}

// Takes the address of an entry. Returns whether a trusted proxy wrote the entry before.
bool TakeAddress(absl::string_view node, IsTrustedAddress is_trusted, ForwardedClient* client) {
  const std::optional<IpAddress> address = ParseNode(node);
  if (!address.has_value()) return false;
  client->address = address->ToString();
  return is_trusted(*address);
}

}  // namespace

ForwardedClient ReadXForwarded(const Request& request, IsTrustedAddress is_trusted) {
  ForwardedClient client;
  VisitFromEnd(request, kXForwardedFor,
               [&](absl::string_view entry) { return TakeAddress(entry, is_trusted, &client); });
  client.is_tls = ParseScheme(LastEntry(request, kXForwardedProto));
  client.host = HostOrNothing(LastEntry(request, kXForwardedHost));
  return client;
}

ForwardedClient ReadForwarded(const Request& request, IsTrustedAddress is_trusted) {
  ForwardedClient client;
  VisitFromEnd(request, kForwarded, [&](absl::string_view text) {
    const std::optional<Entry> entry = ParseEntry(text);
    if (!entry.has_value()) return false;
    if (const std::optional<bool> is_tls = ParseScheme(entry->proto)) client.is_tls = is_tls;
    if (const absl::string_view host = HostOrNothing(entry->host); !host.empty()) client.host = host;
    return TakeAddress(entry->node, is_trusted, &client);
  });
  return client;
}

bool MayHideTls(const Request& request) {
  bool names_client = request.Find(kXForwardedFor).has_value();
  bool names_scheme = false;
  bool names_https = false;
  const auto take_scheme = [&](absl::string_view text) {
    const std::optional<bool> is_tls = ParseScheme(text);
    names_scheme = names_scheme || is_tls.has_value();
    names_https = names_https || is_tls == true;
    return true;
  };
  VisitFromEnd(request, kXForwardedProto, take_scheme);
  VisitFromEnd(request, kForwarded, [&](absl::string_view text) {
    names_client = true;
    const std::optional<Entry> entry = ParseEntry(text);
    return !entry.has_value() || take_scheme(entry->proto);
  });
  return names_https || (request.is_from_trusted_proxy && names_client && !names_scheme);
}

}  // namespace entrepot::gateway::http
