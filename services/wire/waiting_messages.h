#ifndef ENTREPOT_SERVICES_WIRE_WAITING_MESSAGES_H_
#define ENTREPOT_SERVICES_WIRE_WAITING_MESSAGES_H_

#include "entrepot/types/v1/waiting.pb.h"
#include "services/core/waiting.h"

// Conversions between the message of proto/entrepot/types/v1/waiting.proto and the value that the code uses.
namespace entrepot {

types::v1::Waiting ToMessage(const Waiting& waiting);
Waiting FromMessage(const types::v1::Waiting& message);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_WIRE_WAITING_MESSAGES_H_
