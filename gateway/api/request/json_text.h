#ifndef ENTREPOT_GATEWAY_API_REQUEST_JSON_TEXT_H_
#define ENTREPOT_GATEWAY_API_REQUEST_JSON_TEXT_H_

#include "absl/strings/string_view.h"
#include "boost/json/string_view.hpp"

namespace entrepot::gateway::api {

// A view as Boost.JSON takes it, which knows nothing of Abseil's.
inline boost::json::string_view JsonText(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_JSON_TEXT_H_
