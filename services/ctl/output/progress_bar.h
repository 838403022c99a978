#ifndef ENTREPOT_SERVICES_CTL_OUTPUT_PROGRESS_BAR_H_
#define ENTREPOT_SERVICES_CTL_OUTPUT_PROGRESS_BAR_H_

#include <cstdint>
#include <string>

namespace entrepot::ctl {

// "[=====>              ]  27 %". What is done may be more than all, because sizes may have been stated wrong.
std::string ProgressBar(uint64_t done, uint64_t all);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_OUTPUT_PROGRESS_BAR_H_
