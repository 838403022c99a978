#ifndef ENTREPOT_SERVICES_CORE_TEXT_HOST_AND_PORT_H_
#define ENTREPOT_SERVICES_CORE_TEXT_HOST_AND_PORT_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// "127.0.0.1:5000"; an IPv6 address is put in brackets.
inline std::string HostAndPort(absl::string_view address, uint32_t port) {
  const bool brackets = address.find(':') != absl::string_view::npos;
  return absl::StrCat(brackets ? "[" : "", address, brackets ? "]:" : ":", port);
}

// Whether it is a port in decimal: up to five digits, and at most 65535.
inline bool IsPort(absl::string_view text) {
  uint32_t port = 0;
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), absl::ascii_isdigit) &&
         absl::SimpleAtoi(text, &port) && port <= 65535;
}

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_HOST_AND_PORT_H_
