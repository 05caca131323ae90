"""What B2MML V0401 lets stand in the elements that are read here; ``schema.py`` says how to read the lines.

Taken from the schemas of MESA International, as published with their tag V0600.
"The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International."
"""

from __future__ import annotations

from mappings.formats.b2mml.schema import Version, version_of

V0401: Version = version_of(
    "V0401",
    "http://www.wbf.org/xml/B2MML-V0401",
    """
TransApplicationArea = Sender?:TransSender CreationDateTime:@time Signature? BODID? UserArea?
TransSender = LogicalID? ComponentID? TaskID? ReferenceID? ConfirmationCode? AuthorizationID?
TransSync = ActionCriteria*:TransActionCriteria
TransActionCriteria = ActionExpression*
TransProcess = ActionCriteria*:TransActionCriteria
TransShow = OriginalApplicationArea?:TransApplicationArea ResponseCriteria*
ProductionSchedule = ID? Description* Location?:Location PublishedDate?:@time StartTime?:@time EndTime?:@time
  EquipmentElementLevel?:@EquipmentElementLevel ProductionRequest*:ProductionRequest ScheduleState?:@RequestState
  Any*
Location = EquipmentID EquipmentElementLevel:@EquipmentElementLevel Location?:Location Any*
ProductionRequest = ID? Description* ProductProductionRuleID* Location?:Location StartTime?:@time EndTime?:@time
  Priority? SegmentRequirement*:SegmentRequirement SegmentResponse*:SegmentResponse RequestState?:@RequestState Any*
SegmentRequirement = ID? ProductSegmentID? ProcessSegmentID? Description* Location?:Location
  EarliestStartTime?:@time LatestEndTime?:@time Duration? ProductionParameter* PersonnelRequirement*
  EquipmentRequirement* MaterialRequirement*:MaterialRequirement
  MaterialProducedRequirement*:MaterialProducedRequirement MaterialConsumedRequirement*:MaterialConsumedRequirement
  ConsumableExpectedRequirement*:ConsumableExpectedRequirement SegmentRequirement*:SegmentRequirement
  RequiredByRequestedSegmentResponse? SegmentState?:@RequestState Any*
MaterialRequirement = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location MaterialUse?:@MaterialUse Quantity*:QuantityValue
  MaterialRequirementProperty*:MaterialRequirementProperty RequiredByRequestedSegmentResponse? Any*
QuantityValue = QuantityString DataType:@DataType UnitOfMeasure Key? Any*
MaterialRequirementProperty = ID? Description* Value*:Value Quantity*:QuantityValue Any*
Value = ValueString DataType:@DataType UnitOfMeasure Key? Any*
MaterialProducedRequirement = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location Quantity*:QuantityValue
  MaterialProducedRequirementProperty*:MaterialProducedRequirementProperty RequiredByRequestedSegmentResponse? Any*
MaterialProducedRequirementProperty = ID? Description* Value*:Value Quantity*:QuantityValue Any*
MaterialConsumedRequirement = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location Quantity*:QuantityValue
  MaterialConsumedRequirementProperty*:MaterialConsumedRequirementProperty RequiredByRequestedSegmentResponse? Any*
MaterialConsumedRequirementProperty = ID? Description* Value*:Value Quantity*:QuantityValue Any*
ConsumableExpectedRequirement = MaterialClassID* MaterialDefinitionID* Description* Location?:Location
  Quantity*:QuantityValue ConsumableExpectedRequirementProperty* RequiredByRequestedSegmentResponse? Any*
SegmentResponse = ID? ProcessSegmentID* ProductSegmentID* Description* Location?:Location ActualStartTime?:@time
  ActualEndTime?:@time ProductionData* PersonnelActual* EquipmentActual* MaterialActual*:MaterialActual
  MaterialProducedActual*:MaterialProducedActual MaterialConsumedActual*:MaterialConsumedActual
  ConsumableActual*:ConsumableActual SegmentResponse*:SegmentResponse RequiredByRequestedSegmentResponse?
  SegmentState?:@ResponseState Any*
MaterialActual = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location MaterialUse?:@MaterialUse Quantity*:QuantityValue
  MaterialActualProperty*:MaterialActualProperty RequiredByRequestedSegmentResponse? Any*
MaterialActualProperty = ID Description* Value*:Value Quantity*:QuantityValue RequiredByRequestedSegmentResponse?
  Any*
MaterialProducedActual = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location Quantity*:QuantityValue MaterialProducedActualProperty* RequiredByRequestedSegmentResponse?
  Any*
MaterialConsumedActual = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location Quantity*:QuantityValue MaterialConsumedActualProperty* RequiredByRequestedSegmentResponse?
  Any*
ConsumableActual = MaterialClassID* MaterialDefinitionID* Description* Location?:Location Quantity*:QuantityValue
  ConsumableActualProperty* RequiredByRequestedSegmentResponse? Any*
ProductionPerformance = ID? Description* Location?:Location PublishedDate?:@time ProductionScheduleID?
  StartTime?:@time EndTime?:@time EquipmentElementLevel?:@EquipmentElementLevel
  ProductionResponse*:ProductionResponse PerformanceState?:@ResponseState Any*
ProductionResponse = ID? ProductionRequestID? ProductProductionRuleID* Location?:Location StartTime?:@time
  EndTime?:@time SegmentResponse*:SegmentResponse ResponseState?:@ResponseState Any*
MaterialInformation = ID? Description* Location?:Location PublishedDate?:@time MaterialClass*:MaterialClass
  MaterialDefinition*:MaterialDefinition MaterialLot*:MaterialLot MaterialSubLot*:MaterialSubLot
  QAMaterialTestSpecification* Any*
MaterialClass = ID Description* MaterialClassProperty*:MaterialClassProperty MaterialDefinitionID* Any*
MaterialClassProperty = ID Description* Value*:Value QAMaterialTestSpecificationID* Any*
MaterialDefinition = ID Description* MaterialDefinitionProperty*:MaterialDefinitionProperty MaterialClassID*
  MaterialLotID* Any*
MaterialDefinitionProperty = ID Description* Value*:Value QAMaterialTestSpecificationID* Any*
MaterialLot = ID Description* MaterialDefinitionID? Status? MaterialLotProperty*:MaterialLotProperty
  MaterialSubLot*:MaterialSubLot Location?:Location StorageLocation? Quantity*:QuantityValue Any*
MaterialLotProperty = ID Description* Value*:Value QAMaterialTestSpecificationID* TestResult* Any*
MaterialSubLot = ID Description* Status? MaterialSublotProperty*:MaterialLotProperty StorageLocation?
  Quantity*:QuantityValue MaterialSubLot*:MaterialSubLot MaterialLotID? Any*
ProductInformation = ID? Description* Location?:Location PublishedDate?:@time ProductDefinition*:ProductDefinition
  Any*
ProductDefinition = ID Version? Description* Location?:Location PublishedDate?:@time ProductProductionRule?
  BillOfMaterialsID? BillOfResourcesID? ManufacturingBill*:ManufacturingBill ProductSegment*:ProductSegment Any*
ManufacturingBill = ID Description? MaterialClassID? MaterialDefinitionID? Quantity*:QuantityValue BillOfMaterialID?
  Any*
ProductSegment = ID Description? Duration? ProcessSegmentID* Parameter* PersonnelSpecification*
  EquipmentSpecification* MaterialSpecification*:MaterialSpecification SegmentDependency*
  ProductSegment*:ProductSegment Any*
MaterialSpecification = MaterialClassID? MaterialDefinitionID? Description* MaterialUse?:@MaterialUse
  Quantity*:QuantityValue MaterialSpecificationProperty*:MaterialSpecificationProperty Any*
MaterialSpecificationProperty = ID Description* Value*:Value Quantity*:QuantityValue Any*
@MaterialUse = Consumed | Produced | Consumable | Other
@RequestState = Forecast | Released | Other
@ResponseState = Ready | Running | Completed | Aborted | Holding | Other
""",
)
