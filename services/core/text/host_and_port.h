#ifndef ENTREPOT_SERVICES_CORE_TEXT_HOST_AND_PORT_H_
#define ENTREPOT_SERVICES_CORE_TEXT_HOST_AND_PORT_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// "127.0.0.1:5000"; an IPv6 address is put in brackets.
inline std::string HostAndPort(absl::string_view address, uint32_t port) {
  const bool brackets = address.find(':') != absl::string_view::npos;
  return absl::StrCat(brackets ? "[" : "", address, brackets ? "]:" : ":", port);
}

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_HOST_AND_PORT_H_
